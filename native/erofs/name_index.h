// SPDX-License-Identifier: Apache-2.0
// Finds a child by its parent and name: one open-addressing hash table for the whole tree.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hrun::erofs {

class NameIndex {
  public:
    static constexpr uint32_t kNone = UINT32_MAX;

    NameIndex();

    // Keyed with a secret per index, so that an image cannot choose names that collide.
    uint64_t hash(uint32_t parent, std::string_view name) const;

    // The node with this hash for which `matches(node)` holds, or kNone.
    template <class Match> uint32_t find(uint64_t hash, Match matches) const {
        for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
            const Slot& slot = slots_[at];
            if (slot.node == kNone)
                return kNone;
            if (slot.node != kRemoved && slot.hash == hash && matches(slot.node))
                return slot.node;
        }
    }

    // The node must not be in the index yet.
    void insert(uint64_t hash, uint32_t node);
    void remove(uint64_t hash, uint32_t node);

  private:
    static constexpr uint32_t kRemoved = UINT32_MAX - 1;
    struct Slot {
        uint32_t node = kNone;
        uint64_t hash = 0;
    };

    void put(const Slot& slot);
    void grow();

    std::vector<Slot> slots_;
    size_t mask_, taken_ = 0; // taken: nodes and removed ones
    uint64_t secret_[2];
};

} // namespace hrun::erofs
