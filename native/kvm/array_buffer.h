// SPDX-License-Identifier: Apache-2.0
// Buffers for the ioctls whose struct ends in an array of any length: base/kvm_requests.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/kvm_requests.h"

namespace hrun::kvm {

template <class Entry> class ArrayBuffer {
  public:
    explicit ArrayBuffer(size_t count) : words_((sizeof(ArrayHeader) + count * sizeof(Entry) + 7) / 8) {
        header()->count = static_cast<uint32_t>(count);
    }

    void* data() { return words_.data(); }
    // The first field: how many entries there are or may be.
    uint32_t count() { return header()->count; }
    Entry* entries() { return reinterpret_cast<Entry*>(header() + 1); }

  private:
    ArrayHeader* header() { return reinterpret_cast<ArrayHeader*>(words_.data()); }

    std::vector<uint64_t> words_;
};

} // namespace hrun::kvm
