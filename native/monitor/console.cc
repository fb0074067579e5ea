// SPDX-License-Identifier: Apache-2.0
#include "monitor/console.h"

#include <fcntl.h>

#include <vector>

namespace hrun::monitor {

namespace {

constexpr size_t kMaxLine = 512;

} // namespace

Result<std::unique_ptr<Console>> Console::open(int directory, std::function<void()> panicked) {
    Fd file(openat(directory, "console.log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!file.valid())
        return Error::last("open console.log");
    return std::unique_ptr<Console>(new Console(std::move(file), std::move(panicked)));
}

void Console::append(std::string_view bytes) {
    keep(bytes);
    search(bytes);
}

// A full file keeps its newer half. A disk that is full loses console text, nothing else.
void Console::keep(std::string_view bytes) {
    if (size_ + bytes.size() > kMaxBytes) {
        std::vector<char> half(kMaxBytes / 2);
        const ssize_t count =
            pread(file_.get(), half.data(), half.size(), static_cast<off_t>(size_ - half.size()));
        size_ = 0;
        if (ftruncate(file_.get(), 0) == 0 && count > 0)
            size_ = static_cast<uint64_t>(
                std::max<ssize_t>(0, pwrite(file_.get(), half.data(), static_cast<size_t>(count), 0)));
    }
    const ssize_t written = pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    size_ += written > 0 ? static_cast<uint64_t>(written) : 0;
}

void Console::search(std::string_view bytes) {
    for (const char byte : bytes) {
        if (byte == '\n')
            end_line();
        else if (byte >= ' ' && byte < 0x7f && line_.size() < kMaxLine)
            line_ += byte;
    }
}

void Console::end_line() {
    if (panic_.empty() && line_.find("Kernel panic - not syncing") != line_.npos) {
        panic_ = line_;
        panicked_();
    }
    if (!line_.empty())
        last_line_ = std::move(line_);
    line_.clear();
}

} // namespace hrun::monitor
