// SPDX-License-Identifier: Apache-2.0
#include "monitor/checkpoint_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/crc32c.h"
#include "base/sparse_file.h"

namespace hrun::monitor {

namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr size_t kPage = 4096;
constexpr size_t kMaxContents = 4096;

// A file's size, and a sum over where in it is what, in which a hole is as good as zeros.
struct Content {
    uint64_t bytes;
    uint32_t sum;

    bool operator==(const Content&) const = default;
};

bool is_zero(const std::byte* bytes, size_t size) {
    return bytes[0] == std::byte{0} && std::memcmp(bytes, bytes + 1, size - 1) == 0;
}

struct Link {
    uint64_t offset;
    uint32_t page;
    uint32_t before;
};

uint32_t add_page(uint32_t sum, uint64_t offset, std::span<const std::byte> page) {
    if (is_zero(page.data(), page.size()))
        return sum;
    const Link link{offset, crc32c(page), sum};
    return crc32c(std::as_bytes(std::span(&link, 1)));
}

// Whole pages, wherever the holes of the file end. `next`: the first that is not in the sum yet.
Result<void> add_pages(int file, off_t begin, off_t end, uint32_t& sum, off_t& next) {
    const off_t first = std::max(begin - begin % static_cast<off_t>(kPage), next);
    if (first >= end)
        return {};
    const auto length = static_cast<size_t>(end - first);
    next = end;
    void* const mapped = mmap(nullptr, length, PROT_READ, MAP_SHARED, file, first);
    if (mapped == MAP_FAILED)
        return Error::last("read a checkpoint");
    madvise(mapped, length, MADV_SEQUENTIAL);
    const std::span bytes(static_cast<const std::byte*>(mapped), length);
    for (size_t at = 0; at < length; at += kPage)
        sum =
            add_page(sum, static_cast<uint64_t>(first) + at, bytes.subspan(at, std::min(kPage, length - at)));
    munmap(mapped, length);
    return {};
}

Result<Content> content_of(int file) {
    struct stat st;
    if (fstat(file, &st) < 0)
        return Error::last("read a checkpoint");
    Content content{static_cast<uint64_t>(st.st_size), 0};
    off_t next = 0;
    auto read = each_data_range(file, content.bytes, [&](off_t begin, off_t end) {
        const auto page = static_cast<off_t>(kPage);
        const off_t whole = std::min((end + page - 1) / page * page, st.st_size);
        return add_pages(file, begin, whole, content.sum, next);
    });
    if (read && lseek(file, 0, SEEK_SET) < 0) // from where QEMU reads
        read = Error::last("read a checkpoint");
    return read ? Result<Content>(content) : read.error();
}

Result<Fd> open_file(int directory, const char* name, int flags) {
    Fd file(openat(directory, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    struct stat st;
    if (!file.valid() || fstat(file.get(), &st) < 0)
        return Error::last(std::string("open the checkpoint's ") + name);
    if (!S_ISREG(st.st_mode))
        return Error{EINVAL, std::string("use the checkpoint's ") + name + ", which is no file"};
    return file;
}

Result<CheckpointFiles> open_files(int directory, int flags) {
    CheckpointFiles files;
    for (auto [name, file] :
         {std::pair{CheckpointFiles::kMemory, &files.memory},
          std::pair{CheckpointFiles::kState, &files.state}, std::pair{CheckpointFiles::kDisk, &files.disk}}) {
        auto opened = open_file(directory, name, flags);
        if (!opened)
            return opened.error();
        *file = std::move(*opened);
    }
    return files;
}

Result<void> write_all(int file, std::string_view text) {
    if (write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) || fsync(file) < 0)
        return Error::last("write the checkpoint's contents.json");
    return {};
}

Result<Json> read_contents(int directory) {
    auto file = open_file(directory, CheckpointFiles::kContents, O_RDONLY);
    if (!file)
        return file.error();
    std::string text(kMaxContents, '\0');
    const ssize_t count = read(file->get(), text.data(), text.size());
    if (count < 0)
        return Error::last("read the checkpoint's contents.json");
    const Json contents = Json::parse(text.begin(), text.begin() + count, nullptr, false);
    if (!contents.is_object() || contents.value("version", Json()) != kVersion)
        return Error{EBADMSG, "the checkpoint's contents.json is damaged, or of another version of hrun"};
    return contents;
}

std::optional<Content> written_content(const Json& contents, const char* name) {
    const Json entry = contents.value(name, Json());
    if (!entry.is_object())
        return std::nullopt;
    const Json bytes = entry.value("bytes", Json());
    const Json sum = entry.value("crc32c", Json());
    if (!bytes.is_number_unsigned() || !sum.is_number_unsigned() || sum.get<uint64_t>() > UINT32_MAX)
        return std::nullopt;
    return Content{bytes.get<uint64_t>(), sum.get<uint32_t>()};
}

Result<void> check(int file, const Json& contents, const char* name) {
    const auto written = written_content(contents, name);
    auto found = content_of(file);
    if (!found)
        return found.error();
    if (!written || *written != *found)
        return Error{EBADMSG, std::string("the checkpoint's ") + name + " is damaged"};
    return {};
}

} // namespace

Result<CheckpointFiles> CheckpointFiles::create(int directory) {
    return open_files(directory, O_RDWR | O_CREAT | O_EXCL);
}

Result<CheckpointFiles> CheckpointFiles::open(const std::string& directory) {
    const Fd opened(::open(directory.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    if (!opened.valid())
        return Error::last("open the checkpoint " + directory);
    auto contents = read_contents(opened.get());
    auto files = open_files(opened.get(), O_RDONLY);
    if (!contents || !files)
        return contents ? files.error() : contents.error();
    HRUN_TRY(check(files->memory.get(), *contents, kMemory));
    HRUN_TRY(check(files->state.get(), *contents, kState));
    HRUN_TRY(check(files->disk.get(), *contents, kDisk));
    return std::move(*files);
}

Result<CheckpointFiles> CheckpointFiles::open(const std::string& directory, uint64_t memory_bytes) {
    auto files = open(directory);
    struct stat st;
    if (!files)
        return files;
    if (fstat(files->memory.get(), &st) < 0 || static_cast<uint64_t>(st.st_size) != memory_bytes)
        return Error{EINVAL, "the checkpoint is of a machine with another amount of memory"};
    return files;
}

Result<void> CheckpointFiles::seal(int directory) const {
    Json contents{{"version", kVersion}};
    for (auto [name, file] :
         {std::pair{kMemory, &memory}, std::pair{kState, &state}, std::pair{kDisk, &disk}}) {
        if (fsync(file->get()) < 0)
            return Error::last(std::string("write the checkpoint's ") + name);
        auto content = content_of(file->get());
        if (!content)
            return content.error();
        contents[name] = {{"bytes", content->bytes}, {"crc32c", content->sum}};
    }
    auto file = open_file(directory, kContents, O_WRONLY | O_CREAT | O_EXCL);
    if (!file)
        return file.error();
    HRUN_TRY(write_all(file->get(), contents.dump()));
    return fsync(directory) < 0 ? Result<void>(Error::last("write the checkpoint")) : Result<void>();
}

} // namespace hrun::monitor
