// SPDX-License-Identifier: Apache-2.0
// A snapshot file, open and checked: whole, of this version, and each section as it was written. What sections say is for those to
// check who take them; the guest's memory is not read, so that opening takes as long for any size of it.
#pragma once

#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/fd.h"
#include "base/result.h"
#include "boot/x86_64/image_file.h"
#include "memory/mapping.h"
#include "vmm/snapshot_format.h"

namespace hrun::vmm {

class SnapshotFile {
  public:
    // EBADMSG: no snapshot, truncated or corrupted; ENOTSUP: of another version or architecture. The message names the file.
    static Result<SnapshotFile> open(const boot::ImageSource& source);

    const std::string& path() const { return path_; }
    // EBADMSG when there is none.
    Result<ByteReader> section(SectionKind kind, uint32_t index) const;
    uint64_t memory_bytes() const { return header_.memory_bytes; }
    // [offset, offset + size) of the guest's memory, copy-on-write. The file must keep its size as long as the mapping lives.
    Result<Mapping> map_memory(uint64_t offset, uint64_t size) const;

    // "restore PATH, which WHAT"
    Error unusable(int code, const std::string& what) const;

  private:
    SnapshotFile(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    Result<void> read_header();
    Result<void> check_header(uint64_t file_size) const;
    Result<void> read_state();
    Result<void> check_sections();
    Result<void> read(uint64_t offset, std::span<std::byte> to) const;

    std::string path_;
    Fd fd_;
    SnapshotHeader header_;
    std::vector<std::byte> state_; // the file's first state_bytes
    std::vector<SectionEntry> table_;
};

} // namespace hrun::vmm
