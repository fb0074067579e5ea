// SPDX-License-Identifier: Apache-2.0
#include "erofs/name_index.h"

#include <sys/random.h>

#include <cstring>

namespace hrun::erofs {
namespace {

uint64_t mix(uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t load(const char* from, size_t size) {
    uint64_t word = 0;
    memcpy(&word, from, size);
    return word;
}

} // namespace

// Only the table's order depends on the secret, never the image. Should the kernel give none, names can be
// made to collide, which costs time and nothing else.
NameIndex::NameIndex() : slots_(1024), mask_(slots_.size() - 1) {
    if (::getrandom(secret_, sizeof secret_, 0) != sizeof secret_)
        memset(secret_, 0x5a, sizeof secret_);
    secret_[0] |= 1;
    secret_[1] |= 1;
}

uint64_t NameIndex::hash(uint32_t parent, std::string_view name) const {
    uint64_t state = mix(parent ^ secret_[0], name.size() ^ secret_[1]);
    const char* at = name.data();
    size_t left = name.size();
    for (; left > 8; at += 8, left -= 8)
        state = mix(state ^ load(at, 8) ^ secret_[0], secret_[1]);
    return mix(state ^ load(at, left) ^ secret_[1], secret_[0]);
}

void NameIndex::insert(uint64_t hash, uint32_t node) {
    if ((taken_ + 1) * 4 > slots_.size() * 3)
        grow();
    put({node, hash});
}

void NameIndex::put(const Slot& slot) {
    size_t at = slot.hash & mask_;
    while (slots_[at].node != kNone)
        at = (at + 1) & mask_;
    slots_[at] = slot;
    taken_++;
}

void NameIndex::remove(uint64_t hash, uint32_t node) {
    for (size_t at = hash & mask_; slots_[at].node != kNone; at = (at + 1) & mask_)
        if (slots_[at].node == node) {
            slots_[at].node = kRemoved;
            return;
        }
}

void NameIndex::grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    taken_ = 0;
    for (const Slot& slot : old)
        if (slot.node < kRemoved)
            put(slot);
}

} // namespace hrun::erofs
