// SPDX-License-Identifier: Apache-2.0
#include "base/byte_ring.h"

#include <algorithm>
#include <cstring>

namespace hrun {

size_t ByteRing::append(const void* from, size_t size) {
    size = std::min(size, room());
    if (size == 0)
        return 0;
    if (!data_)
        data_ = std::make_unique_for_overwrite<std::byte[]>(capacity_);
    const size_t tail = (head_ + size_) % capacity_;
    const size_t first = std::min(size, capacity_ - tail);
    memcpy(data_.get() + tail, from, first);
    memcpy(data_.get(), static_cast<const std::byte*>(from) + first, size - first);
    size_ += size;
    return size;
}

std::array<iovec, 2> ByteRing::contents() const {
    const size_t first = std::min(size_, capacity_ - head_);
    return {iovec{data_.get() + head_, first}, iovec{data_.get(), size_ - first}};
}

size_t ByteRing::peek(void* to, size_t size) const {
    size = std::min(size, size_);
    if (size == 0)
        return 0;
    const size_t first = std::min(size, capacity_ - head_);
    memcpy(to, data_.get() + head_, first);
    memcpy(static_cast<std::byte*>(to) + first, data_.get(), size - first);
    return size;
}

void ByteRing::consume(size_t size) {
    size = std::min(size, size_);
    head_ = (head_ + size) % capacity_;
    size_ -= size;
    if (size_ == 0) {
        head_ = 0;
        data_.reset();
    }
}

} // namespace hrun
