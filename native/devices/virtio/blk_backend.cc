// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/blk_backend.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <climits>

namespace hrun::virtio {

namespace {

constexpr uint64_t kSector = 512;

using Transfer = ssize_t (*)(int, const iovec*, int, off_t);

// preadv or pwritev until all is done: they may do less, and take at most IOV_MAX pieces.
Result<void> transfer_all(Transfer transfer, const char* what, int fd, std::vector<iovec>& data,
                          uint64_t offset) {
    size_t first = 0;
    while (first < data.size()) {
        const int count = static_cast<int>(std::min<size_t>(data.size() - first, IOV_MAX));
        const ssize_t done = transfer(fd, &data[first], count, static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return Error::last(what);
        if (done == 0)
            return Error{EIO, what};
        offset += static_cast<uint64_t>(done);
        auto left = static_cast<size_t>(done);
        while (first < data.size() && left >= data[first].iov_len)
            left -= data[first++].iov_len;
        if (left > 0)
            data[first] = {static_cast<std::byte*>(data[first].iov_base) + left, data[first].iov_len - left};
    }
    return {};
}

Result<void> allocate(int fd, int mode, uint64_t offset, uint64_t size, const char* what) {
    if (fallocate(fd, mode, static_cast<off_t>(offset), static_cast<off_t>(size)) < 0)
        return Error::last(what);
    return {};
}

} // namespace

Result<BlkBackend> BlkBackend::create(Fd fd, bool read_only) {
    struct stat st;
    if (fstat(fd.get(), &st) < 0)
        return Error::last("stat disk");
    uint64_t size = static_cast<uint64_t>(st.st_size);
    if (S_ISBLK(st.st_mode)) {
        if (ioctl(fd.get(), BLKGETSIZE64, &size) < 0)
            return Error::last("read size of disk");
    } else if (!S_ISREG(st.st_mode)) {
        return Error{EINVAL, "use as a disk what is neither a file nor a block device"};
    }
    return BlkBackend(std::move(fd), size / kSector * kSector, read_only);
}

Result<void> BlkBackend::read(std::vector<iovec> data, uint64_t offset) const {
    return transfer_all(preadv, "read disk", fd_.get(), data, offset);
}

Result<void> BlkBackend::write(std::vector<iovec> data, uint64_t offset) const {
    return transfer_all(pwritev, "write disk", fd_.get(), data, offset);
}

bool BlkBackend::read_cached(const std::vector<iovec>& data, uint64_t offset) const {
    size_t size = 0;
    for (const iovec& part : data)
        size += part.iov_len;
    if (data.size() > IOV_MAX)
        return false;
    const ssize_t done = preadv2(fd_.get(), data.data(), static_cast<int>(data.size()),
                                 static_cast<off_t>(offset), RWF_NOWAIT);
    return done >= 0 && static_cast<size_t>(done) == size;
}

Result<void> BlkBackend::flush() const {
    if (fdatasync(fd_.get()) < 0)
        return Error::last("flush disk");
    return {};
}

Result<void> BlkBackend::discard(uint64_t offset, uint64_t size) const {
    Result<void> done =
        allocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size, "discard");
    if (!done && done.error().code == EOPNOTSUPP)
        return {}; // only advice
    return done;
}

Result<void> BlkBackend::write_zeroes(uint64_t offset, uint64_t size, bool may_unmap) const {
    const int mode = may_unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
    Result<void> done = allocate(fd_.get(), mode | FALLOC_FL_KEEP_SIZE, offset, size, "write zeroes");
    if (done || done.error().code != EOPNOTSUPP)
        return done;
    std::array<std::byte, 65536> zeroes{};
    while (size > 0) {
        const size_t part = std::min<uint64_t>(size, zeroes.size());
        HRUN_TRY(write({{zeroes.data(), part}}, offset));
        offset += part;
        size -= part;
    }
    return {};
}

} // namespace hrun::virtio
