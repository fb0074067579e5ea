// SPDX-License-Identifier: Apache-2.0
// The driver's half of a split virtqueue over real guest memory: what the device code under test talks to.
// It offers the legal moves (offer, take_used) and raw access to each field for the illegal ones.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstring>
#include <optional>
#include <vector>

#include "devices/virtio/queue.h"

namespace hrun::virtio::test {

// A buffer in guest memory and who writes to it.
struct Buffer {
    uint64_t address;
    uint32_t length;
    bool writable = false;
};

struct Used {
    uint32_t id;
    uint32_t length;
};

class DriverQueue {
  public:
    // Lays a queue of `size` entries out at guest address `base`.
    DriverQueue(const GuestMemory& memory, uint64_t base, uint16_t size)
        : layout_{size, base, base + avail_offset(size), base + used_offset(size)} {
        desc_ = at<Descriptor>(memory, layout_.descriptor_table);
        avail_ = at<AvailRing>(memory, layout_.driver_area);
        used_ = at<UsedRing>(memory, layout_.device_area);
        avail_event_ = at<uint16_t>(memory, layout_.device_area + used_ring_bytes(size) - sizeof(uint16_t));
        for (uint16_t i = size; i > 0; --i)
            free_.push_back(static_cast<uint16_t>(i - 1));
    }

    static uint64_t bytes(uint16_t size) { return used_offset(size) + used_ring_bytes(size); }

    const Virtqueue::Layout& layout() const { return layout_; }

    // Writes a chain and makes it available. Returns its head.
    uint16_t offer(const std::vector<Buffer>& buffers) {
        const uint16_t head = write_chain(buffers);
        offer_head(head);
        return head;
    }

    void offer_head(uint16_t head) {
        avail_->ring[avail_index_ % layout_.size] = head;
        set_avail_index(static_cast<uint16_t>(avail_index_ + 1));
    }

    void set_avail_index(uint16_t index) {
        avail_index_ = index;
        __atomic_store_n(&avail_->idx, index, __ATOMIC_RELEASE);
    }

    // The next chain that the device returned, if any.
    std::optional<Used> take_used() {
        if (__atomic_load_n(&used_->idx, __ATOMIC_ACQUIRE) == used_index_)
            return std::nullopt;
        const UsedElement element = used_->ring[used_index_++ % layout_.size];
        release_chain(static_cast<uint16_t>(element.id));
        return Used{element.id, element.len};
    }

    size_t free_descriptors() const { return free_.size(); }
    uint16_t avail_index() const { return avail_index_; }
    Descriptor& descriptor(uint16_t index) { return desc_[index]; }
    AvailRing& avail() { return *avail_; }
    UsedRing& used() { return *used_; }
    uint16_t& used_event() { return avail_->ring[layout_.size]; }
    uint16_t avail_event() const { return *avail_event_; }

  private:
    static uint64_t avail_offset(uint16_t size) { return descriptor_table_bytes(size); }
    static uint64_t used_offset(uint16_t size) {
        return (avail_offset(size) + avail_ring_bytes(size) + 3) & ~3ull;
    }

    template <class T> static T* at(const GuestMemory& memory, uint64_t address) {
        return reinterpret_cast<T*>(memory.contiguous(address, 1));
    }

    uint16_t write_chain(const std::vector<Buffer>& buffers) {
        uint16_t next = 0;
        for (size_t i = buffers.size(); i > 0; --i) {
            const uint16_t index = free_.back();
            free_.pop_back();
            const bool last = i == buffers.size();
            const auto flags =
                static_cast<uint16_t>((last ? 0 : kDescNext) | (buffers[i - 1].writable ? kDescWrite : 0));
            desc_[index] = {buffers[i - 1].address, buffers[i - 1].length, flags, next};
            next = index;
        }
        return next;
    }

    void release_chain(uint16_t head) {
        for (uint16_t index = head;; index = desc_[index].next) {
            free_.push_back(index);
            if (!(desc_[index].flags & kDescNext))
                return;
        }
    }

    Virtqueue::Layout layout_;
    Descriptor* desc_;
    AvailRing* avail_;
    UsedRing* used_;
    const uint16_t* avail_event_;
    std::vector<uint16_t> free_;
    uint16_t avail_index_ = 0;
    uint16_t used_index_ = 0;
};

} // namespace hrun::virtio::test
