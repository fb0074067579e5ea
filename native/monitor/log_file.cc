// SPDX-License-Identifier: Apache-2.0
#include "monitor/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>

#include "monitor/clock.h"
#include "protocol.h"

namespace hrun::monitor {

Result<LogFile> LogFile::open(int directory, std::string name, const LogConfig& config) {
    LogFile log(directory, std::move(name), config);
    if (config.enabled)
        HRUN_TRY(log.open_current());
    return log;
}

void LogFile::append(uint8_t stream, std::string_view bytes) {
    if (!config_.enabled)
        return;
    std::string& partial = partial_[stream == HRUN_STDERR];
    while (!bytes.empty()) {
        const size_t room = kMaxLine - partial.size();
        const size_t newline = bytes.substr(0, room).find('\n');
        const size_t take = newline == bytes.npos ? std::min(room, bytes.size()) : newline + 1;
        const bool complete = newline != bytes.npos || take == room;
        if (complete && partial.empty()) {
            write_line(stream, bytes.substr(0, take));
        } else {
            partial += bytes.substr(0, take);
            if (complete)
                write_line(stream, partial);
        }
        if (complete)
            partial.clear();
        bytes.remove_prefix(take);
    }
}

void LogFile::end_of_stream(uint8_t stream) {
    std::string& partial = partial_[stream == HRUN_STDERR];
    if (!partial.empty())
        write_line(stream, partial);
    partial.clear();
}

void LogFile::write_line(uint8_t stream, std::string_view line) {
    append_log_line(buffer_, line, stream == HRUN_STDERR ? "stderr" : "stdout", attributes_, timestamp_now());
}

// Rotates between lines, before the write that finds the file full, as Docker does.
Result<void> LogFile::flush() {
    size_t done = 0;
    while (done < buffer_.size()) {
        if (config_.max_bytes > 0 && size_ >= config_.max_bytes)
            HRUN_TRY(rotate());
        size_t count = buffer_.size() - done;
        if (config_.max_bytes > 0) { // up to the line that fills the file
            const size_t reach = std::min<uint64_t>(config_.max_bytes - size_, count);
            count = buffer_.find('\n', done + reach - 1) + 1 - done;
        }
        const ssize_t written = write(file_.get(), buffer_.data() + done, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return Error::last("write " + name_);
        done += static_cast<size_t>(written);
        size_ += static_cast<size_t>(written);
    }
    buffer_.clear();
    return {};
}

Result<void> LogFile::open_current() {
    file_.reset(
        openat(directory_, name_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
    struct stat st;
    if (!file_.valid() || fstat(file_.get(), &st) < 0)
        return Error::last("open " + name_);
    size_ = static_cast<uint64_t>(st.st_size);
    return {};
}

// With one file only, it starts anew.
Result<void> LogFile::rotate() {
    if (config_.max_files == 1 && unlinkat(directory_, name_.c_str(), 0) < 0)
        return Error::last("rotate " + name_);
    for (unsigned number = config_.max_files - 1; number > 0; --number) {
        const std::string from = number == 1 ? name_ : rotated(number - 1);
        if (renameat(directory_, from.c_str(), directory_, rotated(number).c_str()) < 0 && errno != ENOENT)
            return Error::last("rotate " + name_);
    }
    return open_current();
}

} // namespace hrun::monitor
