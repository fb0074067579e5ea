// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/queue.h"

#include <bit>
#include <cstring>
#include <utility>

#include "devices/virtio/features.h"

namespace hrun::virtio {

namespace {

// Linux drivers build indirect tables longer than the queue, though 2.7.5.3.1 forbids it; as QEMU does, allow so many.
constexpr uint32_t kMaxIndirect = 1024;

// 2.7.7.2 / 2.7.10: did moving an index from `before` to `after` pass `event`?
bool passed(uint16_t event, uint16_t after, uint16_t before) {
    return static_cast<uint16_t>(after - event - 1) < static_cast<uint16_t>(after - before);
}

} // namespace

Result<void> Virtqueue::start(const GuestMemory& memory, const Layout& layout, uint64_t features,
                              Position position) {
    stop();
    if (!std::has_single_bit(layout.size) || layout.size > max_size_)
        return Error{EINVAL, "start virtqueue: size " + std::to_string(layout.size)};
    if (layout.descriptor_table % 16 || layout.driver_area % 2 || layout.device_area % 4)
        return Error{EINVAL, "start virtqueue: unaligned ring"};
    std::byte* desc = memory.contiguous(layout.descriptor_table, descriptor_table_bytes(layout.size));
    std::byte* avail = memory.contiguous(layout.driver_area, avail_ring_bytes(layout.size));
    std::byte* used = memory.contiguous(layout.device_area, used_ring_bytes(layout.size));
    if (!desc || !avail || !used)
        return Error{EINVAL, "start virtqueue: ring outside memory"};

    // SAFETY: each part lies in one mapping for its whole length and is aligned, for regions are page-aligned.
    desc_ = reinterpret_cast<const Descriptor*>(desc);
    avail_ = reinterpret_cast<AvailRing*>(avail);
    used_ = reinterpret_cast<UsedRing*>(used);
    avail_event_ = reinterpret_cast<uint16_t*>(used + used_ring_bytes(layout.size) - sizeof(uint16_t));
    memory_ = &memory;
    size_ = layout.size;
    event_idx_ = features & kFeatureEventIdx;
    indirect_ = features & kFeatureIndirectDesc;
    next_avail_ = position.next_avail;
    next_used_ = published_ = position.next_used;
    notifications_ = true;
    return {};
}

Virtqueue::Position Virtqueue::stop() {
    const Position before = position();
    *this = Virtqueue(max_size_);
    return before;
}

Virtqueue::Pop Virtqueue::pop(DescriptorChain& chain) {
    if (!ready())
        return Pop::kEmpty;
    const uint16_t waiting = static_cast<uint16_t>(load(&avail_->idx) - next_avail_);
    if (waiting == 0)
        return Pop::kEmpty;
    if (waiting > size_)
        return fail();
    const uint16_t head = load(&avail_->ring[next_avail_ % size_]);
    chain.head = head;
    chain.readable.clear();
    chain.writable.clear();
    chain.readable_bytes = chain.writable_bytes = 0;
    if (!read_chain(head, chain))
        return fail();
    ++next_avail_;
    if (event_idx_ && notifications_)
        store(avail_event_, next_avail_);
    return Pop::kChain;
}

void Virtqueue::push(uint16_t head, uint32_t written) {
    if (!ready())
        return;
    // SAFETY: the index is below size_, the ring lies in one mapping.
    UsedElement& element = used_->ring[next_used_ % size_];
    __atomic_store_n(&element.id, head, __ATOMIC_RELAXED);
    __atomic_store_n(&element.len, written, __ATOMIC_RELAXED);
    ++next_used_;
}

bool Virtqueue::publish() {
    if (!ready() || published_ == next_used_)
        return false;
    // The index must be visible before the driver's wish is read, or both sides may sleep (2.7.7.2): seq_cst.
    store(&used_->idx, next_used_);
    published_ = next_used_;
    if (!event_idx_)
        return !(load(&avail_->flags) & kAvailNoInterrupt);
    const bool first = !std::exchange(signalled_valid_, true);
    const uint16_t before = std::exchange(signalled_, published_);
    return first || passed(load(used_event()), published_, before);
}

void Virtqueue::disable_notifications() {
    if (!ready() || !std::exchange(notifications_, false))
        return;
    if (!event_idx_)
        store(&used_->flags, kUsedNoNotify);
}

bool Virtqueue::enable_notifications() {
    if (!ready())
        return false;
    notifications_ = true;
    // The wish must be visible before the index is read again, or a chain may be missed (2.7.10.1): seq_cst.
    if (event_idx_)
        store(avail_event_, next_avail_);
    else
        store(&used_->flags, 0);
    return has_available();
}

uint16_t Virtqueue::available() const {
    return ready() ? static_cast<uint16_t>(load(&avail_->idx) - next_avail_) : uint16_t{0};
}

Virtqueue::Pop Virtqueue::fail() {
    broken_ = true;
    return Pop::kBroken;
}

// Follows the chain from `head`. A loop is found by its length: no chain has more links than the table has entries.
bool Virtqueue::read_chain(uint16_t head, DescriptorChain& chain) {
    uint16_t index = head;
    for (uint32_t links = 0; links < size_; ++links) {
        if (index >= size_)
            return false;
        const Descriptor current = descriptor(index);
        if (current.flags & kDescIndirect) // ends the chain: INDIRECT with NEXT is forbidden (2.7.5.3.1)
            return indirect_ && !(current.flags & kDescNext) && add_indirect(current, chain);
        if (!add_buffer(current, chain))
            return false;
        if (!(current.flags & kDescNext))
            return true;
        index = current.next;
    }
    return false;
}

// Follows the table that an indirect descriptor names; its WRITE flag means nothing (2.7.5.3.2).
bool Virtqueue::add_indirect(const Descriptor& table, DescriptorChain& chain) {
    if (table.len == 0 || table.len % sizeof(Descriptor) != 0 ||
        table.addr > UINT64_MAX - kMaxIndirect * sizeof(Descriptor))
        return false;
    const uint32_t count = table.len / sizeof(Descriptor);
    if (count > kMaxIndirect)
        return false;
    uint32_t index = 0;
    for (uint32_t links = 0; links < count; ++links) {
        Descriptor current;
        if (index >= count ||
            !memory_->read(table.addr + index * sizeof(Descriptor), &current, sizeof current))
            return false;
        if ((current.flags & kDescIndirect) || !add_buffer(current, chain)) // a table in a table is forbidden
            return false;
        if (!(current.flags & kDescNext))
            return true;
        index = current.next;
    }
    return false;
}

bool Virtqueue::add_buffer(const Descriptor& buffer, DescriptorChain& chain) {
    const bool writable = buffer.flags & kDescWrite;
    if (buffer.len == 0 || (!writable && !chain.writable.empty())) // 2.7.4.2: readable ones come first
        return false;
    uint32_t& total = writable ? chain.writable_bytes : chain.readable_bytes;
    if (buffer.len > UINT32_MAX - total) // 2.7.5: a chain holds at most 4 GiB
        return false;
    total += buffer.len;
    return memory_->segments(buffer.addr, buffer.len, writable ? chain.writable : chain.readable);
}

Descriptor Virtqueue::descriptor(uint16_t index) const {
    Descriptor copy;
    // SAFETY: the caller checked index < size_; one copy, checked afterwards.
    memcpy(&copy, &desc_[index], sizeof copy);
    return copy;
}

// SAFETY: `field` lies in a ring that start() checked and aligned. seq_cst orders each load and store here
// with all others: what an index announces is read after it, and no load overtakes a store before it.
uint16_t Virtqueue::load(const uint16_t* field) const {
    return __atomic_load_n(field, __ATOMIC_SEQ_CST);
}

void Virtqueue::store(uint16_t* field, uint16_t value) {
    __atomic_store_n(field, value, __ATOMIC_SEQ_CST);
}

} // namespace hrun::virtio
