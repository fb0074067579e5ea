// SPDX-License-Identifier: Apache-2.0
// A kernel or initrd file, read with every offset and size checked against the file and against guest memory.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "memory/guest_memory.h"

namespace hrun::boot {

// A file by its path; or one that is open already (not owned), for a process that can open none: then the path is only
// what errors call it.
struct ImageSource {
    ImageSource() = default;
    ImageSource(std::string path, int fd = -1) : path(std::move(path)), fd(fd) {}
    ImageSource(const char* path) : path(path) {}
    bool empty() const { return path.empty(); }

    std::string path;
    int fd = -1;
};

class ImageFile {
  public:
    // Opens a regular file.
    static Result<ImageFile> open(const ImageSource& source);

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
