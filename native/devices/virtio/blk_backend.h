// SPDX-License-Identifier: Apache-2.0
// The file or block device behind a virtio-blk device: the host's system calls, no virtio. Safe from several threads.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::virtio {

class BlkBackend {
  public:
    // `fd` is a regular file or a block device, opened as `read_only` says. Its size, rounded down to 512 bytes, is taken
    // now. EINVAL for other kinds of files.
    static Result<BlkBackend> create(Fd fd, bool read_only);

    uint64_t size() const { return size_; }
    bool read_only() const { return read_only_; }

    // All of `data` at byte `offset`; the range is the caller's to check. EIO when the file has become shorter.
    Result<void> read(std::vector<iovec> data, uint64_t offset) const;
    Result<void> write(std::vector<iovec> data, uint64_t offset) const;
    // The same, if the host has all of it in memory: reads it without waiting for a disk. False, with part of `data` perhaps
    // filled, when it has not.
    bool read_cached(const std::vector<iovec>& data, uint64_t offset) const;
    // Returns when all that was written is durable.
    Result<void> flush() const;
    // Frees the range where the file system can; its content is undefined then.
    Result<void> discard(uint64_t offset, uint64_t size) const;
    // `may_unmap`: the range may become a hole.
    Result<void> write_zeroes(uint64_t offset, uint64_t size, bool may_unmap) const;

  private:
    BlkBackend(Fd fd, uint64_t size, bool read_only)
        : fd_(std::move(fd)), size_(size), read_only_(read_only) {}

    Fd fd_;
    uint64_t size_;
    bool read_only_;
};

} // namespace hrun::virtio
