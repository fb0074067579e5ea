// SPDX-License-Identifier: Apache-2.0
// A kernel or initrd file, read with every offset and size checked against the file and against guest memory.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "memory/guest_memory.h"

namespace hrun::boot {

class ImageFile {
  public:
    // Opens a regular file.
    static Result<ImageFile> open(const std::string& path);

    const std::string& path() const { return path_; }
    uint64_t size() const { return size_; }
    // ENOEXEC when the file ends before offset + size.
    Result<void> read(uint64_t offset, void* to, uint64_t size) const;
    // Reads into guest-physical memory, without a copy in between. ENOMEM when the target is not RAM.
    Result<void> load(uint64_t offset, const GuestMemory& memory, uint64_t address, uint64_t size) const;

  private:
    ImageFile(std::string path, Fd fd, uint64_t size)
        : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

    std::string path_;
    Fd fd_;
    uint64_t size_;
};

} // namespace hrun::boot
