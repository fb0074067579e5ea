// SPDX-License-Identifier: Apache-2.0
// A bounded FIFO of bytes. Memory is taken on first use and given back when it runs empty.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <memory>

namespace hrun {

class ByteRing {
  public:
    explicit ByteRing(size_t capacity) : capacity_(capacity) {}

    size_t size() const { return size_; }
    size_t room() const { return capacity_ - size_; }
    bool empty() const { return size_ == 0; }

    // Appends as much of `from` as there is room for; returns how much.
    size_t append(const void* from, size_t size);
    // The bytes in order, in at most two pieces, to hand to writev.
    std::array<iovec, 2> contents() const;
    // Copies the first bytes without taking them; returns how many there were.
    size_t peek(void* to, size_t size) const;
    // Drops the first `size` bytes, at most size().
    void consume(size_t size);

  private:
    size_t capacity_;
    size_t head_ = 0; // of the first byte
    size_t size_ = 0;
    std::unique_ptr<std::byte[]> data_;
};

} // namespace hrun
