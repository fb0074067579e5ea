// SPDX-License-Identifier: Apache-2.0
// An input as a driver's doings: each byte or two says what it does next, so that short inputs go deep.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "base/event_loop.h"
#include "devices/virtio/device.h"
#include "memory/memory_file.h"

namespace hrun::fuzz {

// What is left of an input; zeroes behind its end.
class Script {
  public:
    Script(const uint8_t* data, size_t size) : data_(data), size_(size) {}

    bool empty() const { return size_ == 0; }
    template <class T> T take() {
        T value{};
        bytes(&value, sizeof value);
        return value;
    }
    size_t bytes(void* to, size_t count) {
        count = std::min(count, size_);
        memcpy(to, data_, count);
        data_ += count;
        size_ -= count;
        return count;
    }

  private:
    const uint8_t* data_;
    size_t size_;
};

// 256 KiB of guest memory, made once and cleared for each input; the rings lie at its start.
class Memory {
  public:
    static constexpr uint64_t kSize = 256 * 1024;

    Memory() {
        auto file = create_memory_file("fuzz", kSize);
        auto mapping = Mapping::share(file->get(), 0, kSize);
        bytes = mapping->data();
        if (!guest.add(std::move(*mapping), 0))
            abort();
    }
    void clear() const { memset(bytes, 0, kSize); }

    GuestMemory guest;
    std::byte* bytes = nullptr;
};

class Driver : private virtio::Interrupt {
  public:
    static constexpr uint16_t kQueueSize = 8;
    static constexpr uint64_t kQueueBytes = 0x400;

    Driver(const Memory& memory, virtio::Device& device) : memory_(memory), device_(device) {
        memory.clear();
    }
    ~Driver() override { reset(); }

    // Runs the input; what is the host's to do is `host`'s.
    void run(Script& script, EventLoop& loop, const std::function<void(Script&)>& host) {
        start(script.take<uint8_t>());
        for (int steps = 0; !script.empty() && steps < 200; ++steps) {
            step(script, host);
            if (!loop.run_once({}))
                abort();
        }
    }

  private:
    void step(Script& script, const std::function<void(Script&)>& host) {
        const auto what = script.take<uint8_t>();
        const uint16_t queue = (what >> 3) % queues_.size();
        switch (what & 7) {
        case 0:
        case 1:
            offer(script, queue);
            [[fallthrough]];
        case 2:
            if (active_)
                device_.queue_notify(queue);
            break;
        case 3:
            poke(script);
            break;
        case 4:
            write_config(script);
            break;
        case 5:
            read_config(script);
            break;
        case 6:
            host(script);
            break;
        case 7:
            if (what == 0xff)
                start(script.take<uint8_t>());
            else
                avail(queue)->idx = static_cast<uint16_t>(avail(queue)->idx + what / 64);
            break;
        }
    }

    void start(uint8_t choice) {
        reset();
        queues_.clear();
        for (const uint16_t size : device_.queue_max_sizes())
            queues_.emplace_back(size);
        // Each device-specific bit that there is, or none, by one bit of the choice.
        uint64_t features = virtio::kFeatureVersion1;
        int bit = 2;
        for (uint64_t left = device_.device_features() & 0xffffff; left != 0; left &= left - 1)
            if (choice >> (bit++ % 8) & 1)
                features |= left & -left;
        features |=
            (choice & 1 ? virtio::kFeatureIndirectDesc : 0) | (choice & 2 ? virtio::kFeatureEventIdx : 0);
        for (size_t i = 0; i < queues_.size(); ++i)
            if (!queues_[i].start(memory_.guest, layout(i), features, {}))
                abort();
        active_ = true;
        device_.activate({&memory_.guest, queues_, this, features});
    }
    void reset() {
        if (std::exchange(active_, false))
            device_.deactivate();
        memory_.clear();
    }

    static virtio::Virtqueue::Layout layout(size_t queue) {
        const uint64_t base = queue * kQueueBytes;
        return {kQueueSize, base, base + 0x100, base + 0x180};
    }
    virtio::Descriptor* table(size_t queue) const {
        return reinterpret_cast<virtio::Descriptor*>(memory_.bytes + layout(queue).descriptor_table);
    }
    virtio::AvailRing* avail(size_t queue) const {
        return reinterpret_cast<virtio::AvailRing*>(memory_.bytes + layout(queue).driver_area);
    }

    // One to four descriptors, the first with contents out of the script.
    void offer(Script& script, uint16_t queue) {
        const auto shape = script.take<uint8_t>();
        const uint16_t head = shape % kQueueSize;
        const int count = 1 + (shape >> 3) % 4;
        for (int i = 0; i < count; ++i) {
            const auto kind = script.take<uint8_t>();
            virtio::Descriptor& descriptor = table(queue)[(head + i) % kQueueSize];
            descriptor.addr = (kind & 0xf0) == 0xf0 ? script.take<uint64_t>() : 0x4000 + uint64_t{kind} * 512;
            descriptor.len = kind & 4 ? script.take<uint16_t>() : script.take<uint8_t>();
            descriptor.flags = static_cast<uint16_t>((kind & 1 ? virtio::kDescWrite : 0) |
                                                     (i + 1 < count ? virtio::kDescNext : 0) |
                                                     ((kind & 0x0a) == 0x0a ? virtio::kDescIndirect : 0));
            descriptor.next = static_cast<uint16_t>((head + i + 1) % kQueueSize);
            if (i == 0 && descriptor.addr < Memory::kSize - 256)
                script.bytes(memory_.bytes + descriptor.addr, shape >> 5 << 3);
        }
        avail(queue)->ring[avail(queue)->idx % kQueueSize] = head;
        ++avail(queue)->idx;
    }
    void poke(Script& script) {
        const auto at = script.take<uint16_t>();
        script.bytes(memory_.bytes + at, 1 + at % 16);
    }
    void write_config(Script& script) {
        const auto where = script.take<uint8_t>();
        const auto value = script.take<uint64_t>();
        device_.write_config(where & 0x80 ? UINT32_MAX - (where & 15) : where & 63,
                             std::as_bytes(std::span(&value, 1)).first(1 + where % 8));
    }
    void read_config(Script& script) {
        const auto where = script.take<uint8_t>();
        uint64_t value;
        device_.read_config(where & 0x80 ? UINT32_MAX - (where & 15) : where & 63,
                            std::as_writable_bytes(std::span(&value, 1)).first(1 + where % 8));
    }

    void signal_queue(uint16_t) override {}
    void signal_config() override {}
    void signal_broken(uint16_t queue) override {
        if (queue >= queues_.size() || !queues_[queue].broken())
            abort();
    }

    const Memory& memory_;
    virtio::Device& device_;
    std::vector<virtio::Virtqueue> queues_;
    bool active_ = false;
};

} // namespace hrun::fuzz
