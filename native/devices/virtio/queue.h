// SPDX-License-Identifier: Apache-2.0
// The device's side of a split virtqueue (virtio 1.2, 2.7), with indirect descriptors and EVENT_IDX.
//
// Everything in the rings is the driver's and may be hostile or change at any time. Each value is read once,
// checked, then used. A driver that breaks the rules breaks its own queue, nothing else: the queue then yields
// no more chains until it is started again.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "devices/virtio/descriptor.h"
#include "memory/guest_memory.h"

namespace hrun::virtio {

// One request: the buffers of a descriptor chain, device-readable ones first (2.7.4.2). Reuse one object from pop to
// pop, it keeps its capacity.
struct DescriptorChain {
    uint16_t head = 0;           // names the chain in push()
    std::vector<iovec> readable; // filled by the driver
    std::vector<iovec> writable; // to be filled by the device
    uint32_t readable_bytes = 0;
    uint32_t writable_bytes = 0;
};

// Copies up to `size` bytes from the start of `from`; returns how many there were.
size_t copy_from(const std::vector<iovec>& from, void* to, size_t size);
// Copies up to `size` bytes to the start of `to`; returns how many had room.
size_t copy_to(const std::vector<iovec>& to, const void* from, size_t size);
// Appends what is left of `from` after its first `skip` bytes, at most `limit` bytes, to `out`.
void slice(const std::vector<iovec>& from, size_t skip, size_t limit, std::vector<iovec>& out);

class Virtqueue {
  public:
    // Where the driver put the queue. Addresses are guest-physical.
    struct Layout {
        uint16_t size = 0;             // entries: a power of two, at most max_size
        uint64_t descriptor_table = 0; // 16-byte aligned
        uint64_t driver_area = 0;      // available ring, 2-byte aligned
        uint64_t device_area = 0;      // used ring, 4-byte aligned
    };
    // Where in the rings to go on; zero for a queue that was just reset.
    struct Position {
        uint16_t next_avail = 0;
        uint16_t next_used = 0;
    };
    enum class Pop { kChain, kEmpty, kBroken };

    explicit Virtqueue(uint16_t max_size) : max_size_(max_size) {}

    // Checks the layout and takes the queue into use. `memory` must outlive it until stop(). EINVAL names the part
    // that is wrong.
    Result<void> start(const GuestMemory& memory, const Layout& layout, uint64_t features, Position position);
    // Forgets the rings; returns where the queue was.
    Position stop();
    Position position() const { return {next_avail_, published_}; }
    // Started, and the driver has not broken it.
    bool ready() const { return desc_ != nullptr && !broken_; }
    bool broken() const { return broken_; }
    uint16_t max_size() const { return max_size_; }
    uint16_t size() const { return size_; }

    // Takes the next available chain. kBroken is returned once, when the driver's mistake is met, and kEmpty from
    // then on.
    Pop pop(DescriptorChain& chain);
    // Gives the last `count` popped chains back, newest first: they come again. None of them may have been pushed.
    void unpop(uint16_t count) { next_avail_ = static_cast<uint16_t>(next_avail_ - count); }
    // Returns a chain with the number of bytes written to its writable part, unseen by the driver until publish().
    void push(uint16_t head, uint32_t written);
    // Shows all pushed chains to the driver. True when it wants an interrupt for them (2.7.7.2, 2.7.10).
    bool publish();

    // Asks the driver not to notify: the device is looking anyway (2.7.10). Only a hint with EVENT_IDX.
    void disable_notifications();
    // Asks the driver to notify again. True when chains arrived meanwhile, which must then be handled, for no
    // notification comes for them.
    bool enable_notifications();
    // Chains wait to be popped.
    bool has_available() const { return available() > 0; }
    // How many, as the driver says.
    uint16_t available() const;

  private:
    Pop fail();
    bool read_chain(uint16_t head, DescriptorChain& chain);
    bool add_indirect(const Descriptor& table, DescriptorChain& chain);
    bool add_buffer(const Descriptor& buffer, DescriptorChain& chain);
    Descriptor descriptor(uint16_t index) const;
    uint16_t load(const uint16_t* field) const;
    void store(uint16_t* field, uint16_t value);
    uint16_t* used_event() const { return &avail_->ring[size_]; }

    uint16_t max_size_;
    uint16_t size_ = 0;
    bool event_idx_ = false;
    bool indirect_ = false;
    bool broken_ = false;
    bool notifications_ = true;
    bool signalled_valid_ = false; // signalled_ is comparable: an index was published since start
    uint16_t next_avail_ = 0;      // next entry of the available ring to take
    uint16_t next_used_ = 0;       // next entry of the used ring to fill
    uint16_t published_ = 0;       // used index that the driver sees
    uint16_t signalled_ = 0;       // used index at the last interrupt decision
    const GuestMemory* memory_ = nullptr;
    // Host addresses of the three parts, each inside one region of *memory_.
    const Descriptor* desc_ = nullptr;
    AvailRing* avail_ = nullptr;
    UsedRing* used_ = nullptr;
    uint16_t* avail_event_ = nullptr; // behind the used ring
};

} // namespace hrun::virtio
