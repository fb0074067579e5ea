// SPDX-License-Identifier: Apache-2.0
// A memory mapping with one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/result.h"

namespace hrun {

class Mapping {
  public:
    // Maps `size` bytes of `fd` from `offset`, shared, readable and writable. Both must be multiples of the page
    // size and lie inside the file: EINVAL otherwise. The mapping keeps the file alive; `fd` stays the caller's.
    static Result<Mapping> share(int fd, uint64_t offset, uint64_t size);
    // The same, private: pages are the file's until they are written, then copies that only this mapping has. The file need not be
    // writable. Takes as long for any size.
    static Result<Mapping> copy_on_write(int fd, uint64_t offset, uint64_t size);

    Mapping() = default;
    Mapping(Mapping&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Mapping();

    std::byte* data() const { return data_; }
    uint64_t size() const { return size_; }

  private:
    Mapping(std::byte* data, uint64_t size) : data_(data), size_(size) {}
    static Result<Mapping> map(int fd, uint64_t offset, uint64_t size, int flags);

    std::byte* data_ = nullptr;
    uint64_t size_ = 0;
};

} // namespace hrun
