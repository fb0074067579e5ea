// SPDX-License-Identifier: Apache-2.0
#include "vmm/snapshot_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/byte_writer.h"
#include "base/crc32c.h"

namespace hrun::vmm {

namespace {

Result<Fd> open_file(const boot::ImageSource& source) {
    Fd fd(source.fd >= 0 ? fcntl(source.fd, F_DUPFD_CLOEXEC, 0)
                         : ::open(source.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd.valid())
        return Error::last("open " + source.path);
    return fd;
}

} // namespace

uint32_t header_checksum(SnapshotHeader header, std::span<const SectionEntry> table) {
    header.checksum = 0;
    ByteWriter bytes;
    bytes.put_struct(header);
    bytes.append(std::as_bytes(table));
    return crc32c(bytes.bytes());
}

Result<SnapshotFile> SnapshotFile::open(const boot::ImageSource& source) {
    Result<Fd> fd = open_file(source);
    if (!fd)
        return fd.error();
    SnapshotFile file(source.path, std::move(*fd));
    HRUN_TRY(file.read_header());
    HRUN_TRY(file.read_state());
    HRUN_TRY(file.check_sections());
    return file;
}

Error SnapshotFile::unusable(int code, const std::string& what) const {
    return Error{code, "restore " + path_ + ", which " + what};
}

Result<void> SnapshotFile::read_header() {
    struct stat st;
    if (fstat(fd_.get(), &st) < 0)
        return Error::last("stat " + path_);
    if (!S_ISREG(st.st_mode))
        return unusable(EINVAL, "is not a regular file");
    const auto size = static_cast<uint64_t>(st.st_size);
    if (size < sizeof header_)
        return unusable(EBADMSG, "is no snapshot or truncated: it has " + std::to_string(size) + " bytes");
    HRUN_TRY(read(0, std::as_writable_bytes(std::span(&header_, 1))));
    return check_header(size);
}

Result<void> SnapshotFile::check_header(uint64_t file_size) const {
    if (header_.magic != kSnapshotMagic)
        return unusable(EBADMSG, "is no snapshot");
    if (header_.version != kSnapshotVersion)
        return unusable(ENOTSUP, "is of version " + std::to_string(header_.version) + " (this is version " +
                                     std::to_string(kSnapshotVersion) + ")");
    if (header_.architecture != kSnapshotX86_64)
        return unusable(ENOTSUP, "is of another architecture");
    const uint64_t table_end = sizeof header_ + uint64_t{header_.sections} * sizeof(SectionEntry);
    const uint64_t boundary = memory_offset_behind(header_.state_bytes);
    if (header_.sections > kMostSections || header_.state_bytes > kMostStateBytes ||
        header_.state_bytes < table_end || header_.memory_offset != boundary ||
        header_.memory_bytes % kSnapshotPage != 0 || header_.memory_bytes > UINT64_MAX - boundary)
        return unusable(EBADMSG, "is corrupted: its header makes no sense");
    const uint64_t whole = header_.memory_offset + header_.memory_bytes;
    if (file_size != whole)
        return unusable(EBADMSG, (file_size < whole ? "is truncated: " : "is corrupted: ") +
                                     std::to_string(file_size) + " bytes instead of " +
                                     std::to_string(whole));
    return {};
}

Result<void> SnapshotFile::read_state() {
    state_.resize(header_.state_bytes);
    HRUN_TRY(read(0, state_));
    memcpy(&header_, state_.data(), sizeof header_); // as it is now, should somebody have changed it
    const size_t table_bytes = header_.sections * sizeof(SectionEntry);
    if (header_.sections > kMostSections || sizeof header_ + table_bytes > state_.size())
        return unusable(EBADMSG, "is changing");
    table_.resize(header_.sections);
    std::copy_n(state_.data() + sizeof header_, table_bytes,
                std::as_writable_bytes(std::span(table_)).begin()); // of no sections too
    if (header_checksum(header_, table_) != header_.checksum)
        return unusable(EBADMSG, "is corrupted: its header has another checksum");
    return {};
}

Result<void> SnapshotFile::check_sections() {
    uint64_t offset = sizeof header_ + table_.size() * sizeof(SectionEntry);
    for (const SectionEntry& entry : table_) {
        if (entry.bytes > state_.size() - offset)
            return unusable(EBADMSG, "is corrupted: a section is too long");
        if (crc32c(std::span(state_).subspan(offset, entry.bytes)) != entry.checksum)
            return unusable(EBADMSG, "is corrupted: section " +
                                         std::to_string(static_cast<uint32_t>(entry.kind)) + "." +
                                         std::to_string(entry.index) + " has another checksum");
        offset += entry.bytes;
    }
    if (offset != state_.size())
        return unusable(EBADMSG, "is corrupted: its sections have another length");
    return {};
}

Result<ByteReader> SnapshotFile::section(SectionKind kind, uint32_t index) const {
    size_t offset = sizeof header_ + table_.size() * sizeof(SectionEntry);
    for (const SectionEntry& entry : table_) {
        if (entry.kind == kind && entry.index == index)
            return ByteReader(std::span(state_).subspan(offset, entry.bytes));
        offset += entry.bytes;
    }
    return unusable(EBADMSG, "is corrupted: section " + std::to_string(static_cast<uint32_t>(kind)) + "." +
                                 std::to_string(index) + " is missing");
}

Result<Mapping> SnapshotFile::map_memory(uint64_t offset, uint64_t size) const {
    return Mapping::copy_on_write(fd_.get(), header_.memory_offset + offset, size);
}

Result<void> SnapshotFile::read(uint64_t offset, std::span<std::byte> to) const {
    while (!to.empty()) {
        const ssize_t got = pread(fd_.get(), to.data(), to.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return Error::last("read " + path_);
        if (got == 0)
            return unusable(EBADMSG, "is truncated");
        to = to.subspan(static_cast<size_t>(got));
        offset += static_cast<uint64_t>(got);
    }
    return {};
}

} // namespace hrun::vmm
