// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/blk_request.h"

#include <linux/virtio_blk.h>

#include <algorithm>
#include <cstring>

namespace hrun::virtio {

namespace {

constexpr uint64_t kSector = 512;

// Of [sector, sector + size bytes) on a disk: the byte offset. False when any of it lies past the end.
bool locate(uint64_t disk_size, uint64_t sector, uint64_t size, uint64_t& offset) {
    if (sector > disk_size / kSector || size > disk_size - sector * kSector)
        return false;
    offset = sector * kSector;
    return true;
}

} // namespace

// The header is the first 16 readable bytes and the status the last writable one, wherever buffers begin and end (5.2.6.4
// with VERSION_1). What is between is data; it is of one direction only.
BlkRequest::BlkRequest(const DescriptorChain& chain) : head_(chain.head) {
    if (chain.writable.empty())
        return;
    const iovec& last = chain.writable.back();
    // SAFETY: the segments of a chain lie inside guest memory and none is empty, checked by Virtqueue::pop.
    status_at_ = static_cast<uint8_t*>(last.iov_base) + last.iov_len - 1;
    virtio_blk_outhdr header;
    if (copy_from(chain.readable, &header, sizeof header) < sizeof header)
        return;
    type_ = header.type;
    sector_ = header.sector;
    const uint64_t out = chain.readable_bytes - sizeof header;
    const uint64_t in = chain.writable_bytes - 1;
    data_writable_ = in > 0;
    data_bytes_ = data_writable_ ? in : out;
    if (in > 0 && out > 0)
        type_ = UINT32_MAX; // no request has both
    slice(data_writable_ ? chain.writable : chain.readable, data_writable_ ? 0 : sizeof header, data_bytes_,
          data_);
}

void BlkRequest::run(const BlkBackend& backend, const std::string& serial) {
    status_ = perform(backend, serial);
}

bool BlkRequest::run_cached(const BlkBackend& backend, uint64_t limit) {
    uint64_t offset;
    if (type_ != VIRTIO_BLK_T_IN || data_bytes_ > limit || !locate_transfer(backend, offset) ||
        !backend.read_cached(data_, offset))
        return false;
    written_ = static_cast<uint32_t>(data_bytes_) + 1;
    status_ = BlkStatus::kOk;
    return true;
}

void BlkRequest::finish() const {
    // SAFETY: see the constructor.
    __atomic_store_n(status_at_, static_cast<uint8_t>(status_), __ATOMIC_RELAXED);
}

BlkStatus BlkRequest::perform(const BlkBackend& backend, const std::string& serial) {
    written_ = 1;
    switch (type_) {
    case VIRTIO_BLK_T_IN:
    case VIRTIO_BLK_T_OUT:
        return transfer(backend);
    case VIRTIO_BLK_T_FLUSH:
        return backend.read_only() ? BlkStatus::kOk : status_of_write(backend.flush());
    case VIRTIO_BLK_T_GET_ID:
        return tell_id(serial);
    case VIRTIO_BLK_T_DISCARD:
    case VIRTIO_BLK_T_WRITE_ZEROES:
        return change_ranges(backend);
    default:
        return BlkStatus::kUnsupported;
    }
}

// Whole sectors of the disk, in the direction that the request is of.
bool BlkRequest::locate_transfer(const BlkBackend& backend, uint64_t& offset) const {
    const bool reading = type_ == VIRTIO_BLK_T_IN;
    return data_bytes_ % kSector == 0 && (data_bytes_ == 0 || reading == data_writable_) &&
           locate(backend.size(), sector_, data_bytes_, offset) && (reading || !backend.read_only());
}

BlkStatus BlkRequest::transfer(const BlkBackend& backend) {
    uint64_t offset;
    if (!locate_transfer(backend, offset))
        return BlkStatus::kIoError;
    if (type_ == VIRTIO_BLK_T_OUT)
        return status_of_write(backend.write(data_, offset));
    if (!backend.read(data_, offset))
        return BlkStatus::kIoError;
    written_ = static_cast<uint32_t>(data_bytes_) + 1;
    return BlkStatus::kOk;
}

// 5.2.6.1: twenty bytes, padded with NUL; none follows a serial of full length.
BlkStatus BlkRequest::tell_id(const std::string& serial) {
    char id[VIRTIO_BLK_ID_BYTES] = {};
    memcpy(id, serial.data(), std::min(serial.size(), sizeof id));
    if (!data_writable_ || data_bytes_ < sizeof id)
        return BlkStatus::kIoError;
    copy_to(data_, id, sizeof id);
    written_ = sizeof id + 1;
    return BlkStatus::kOk;
}

BlkStatus BlkRequest::change_ranges(const BlkBackend& backend) {
    const bool zeroing = type_ == VIRTIO_BLK_T_WRITE_ZEROES;
    std::vector<Range> ranges;
    if (backend.read_only() || data_writable_ || !read_ranges(backend, ranges))
        return BlkStatus::kIoError;
    for (const Range& range : ranges) // 5.2.6.2: unmap is for write-zeroes only, other flags are reserved
        if (range.flags & ~(zeroing ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0u))
            return BlkStatus::kUnsupported;
    for (const Range& range : ranges) {
        const Result<void> done = zeroing ? backend.write_zeroes(range.offset, range.size, range.flags != 0)
                                          : backend.discard(range.offset, range.size);
        if (!done)
            return status_of_write(done);
    }
    return BlkStatus::kOk;
}

BlkStatus BlkRequest::status_of_write(const Result<void>& done) {
    if (done)
        return BlkStatus::kOk;
    write_error_ = done.error();
    return BlkStatus::kIoError;
}

bool BlkRequest::read_ranges(const BlkBackend& backend, std::vector<Range>& ranges) const {
    virtio_blk_discard_write_zeroes segments[kBlkMaxSegments];
    const size_t count = data_bytes_ / sizeof segments[0];
    if (count == 0 || count > kBlkMaxSegments || data_bytes_ % sizeof segments[0] != 0)
        return false;
    copy_from(data_, segments, data_bytes_);
    for (size_t i = 0; i < count; ++i) {
        const uint64_t size = uint64_t{segments[i].num_sectors} * kSector;
        uint64_t offset;
        if (size == 0 || segments[i].num_sectors > kBlkMaxRangeSectors ||
            !locate(backend.size(), segments[i].sector, size, offset))
            return false;
        ranges.push_back({offset, size, segments[i].flags});
    }
    return true;
}

} // namespace hrun::virtio
