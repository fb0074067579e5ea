// SPDX-License-Identifier: Apache-2.0
// The guest's half of a vsock device for tests: real rings in real memory, packets in and out.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/unix_socket.h"
#include "devices/driver_queue.h"
#include "devices/test_memory.h"
#include "devices/virtio/vsock.h"

namespace hrun::virtio::test {

constexpr uint64_t kCid = 3;

struct Packet {
    VsockHeader header;
    std::string payload;
};

class GuestVsock : public Interrupt {
  public:
    static constexpr uint16_t kSize = 16;
    static constexpr uint32_t kRxBytes = 4096;

    GuestVsock() {
        auto made = EventLoop::create();
        REQUIRE(made);
        loop = std::move(*made);
        hrun::test::add_memory(memory, 0, 1 << 20);
        for (uint16_t i = 0; i < 3; ++i) {
            drivers.emplace_back(memory, 0x1000u * (i + 1), kSize);
            queues.emplace_back(VsockDevice::kQueueSize);
        }
        device = std::make_unique<VsockDevice>(*loop, kCid, [this](uint32_t port) { return accept(port); });
    }

    void start(uint64_t features = kFeatureVersion1) {
        for (size_t i = 0; i < queues.size(); ++i)
            REQUIRE(queues[i].start(memory, drivers[i].layout(), features, {}));
        device->activate({&memory, queues, this, features});
        for (uint16_t i = 0; i < kSize; ++i)
            offer_rx(i);
    }

    // Sends one packet; header.len is the payload's unless `claimed` says otherwise.
    void send(VsockHeader header, const std::string& payload = "", std::optional<uint32_t> claimed = {}) {
        header.len = claimed.value_or(static_cast<uint32_t>(payload.size()));
        REQUIRE(memory.write(kTxHeader, &header, sizeof header));
        std::vector<Buffer> buffers{{kTxHeader, sizeof header}};
        if (!payload.empty()) {
            REQUIRE(memory.write(kTxPayload, payload.data(), payload.size()));
            buffers.push_back({kTxPayload, static_cast<uint32_t>(payload.size())});
        }
        drivers[VsockDevice::kTx].offer(buffers);
        device->queue_notify(VsockDevice::kTx);
        while (drivers[VsockDevice::kTx].take_used()) {
        }
    }

    VsockHeader header(VsockOp op, uint32_t guest_port, uint32_t host_port) const {
        return {kCid, kVsockHostCid, guest_port, host_port, 0, kVsockStream, op, 0, buffer, forwarded};
    }
    void send_op(VsockOp op, uint32_t guest_port, uint32_t host_port, const std::string& payload = "") {
        send(header(op, guest_port, host_port), payload);
    }

    // The next packet from the device; serves the loop meanwhile, and gives the buffer back when `refill`.
    std::optional<Packet> receive(bool refill = true) {
        for (int tries = 0; tries < 20; ++tries) {
            if (const auto used = drivers[VsockDevice::kRx].take_used())
                return read_packet(*used, refill);
            settle();
        }
        return std::nullopt;
    }

    // The next packet, which must be `op`.
    Packet expect(VsockOp op) {
        const auto packet = receive();
        REQUIRE(packet);
        REQUIRE(packet->header.op == op);
        return *packet;
    }
    void expect_silence() { CHECK_FALSE(receive()); }
    void settle() { REQUIRE(loop->run_once(std::chrono::milliseconds(1))); }

    // A connection made by the guest; returns the host's far end of it.
    Fd open(uint32_t guest_port, uint32_t host_port) {
        send_op(kVsockOpRequest, guest_port, host_port);
        expect(kVsockOpResponse);
        REQUIRE(!accepted.empty());
        Fd far = std::move(accepted.back());
        accepted.pop_back();
        return far;
    }

    void offer_rx(uint16_t slot) {
        const uint16_t head =
            drivers[VsockDevice::kRx].offer({{kRxBuffers + slot * kRxBytes, kRxBytes, true}});
        slots[head] = slot;
        device->queue_notify(VsockDevice::kRx);
    }

    void signal_queue(uint16_t) override { ++interrupts; }
    void signal_config() override {}
    void signal_broken(uint16_t queue) override { broken.push_back(queue); }

    GuestMemory memory;
    std::unique_ptr<EventLoop> loop;
    std::vector<DriverQueue> drivers;
    std::vector<Virtqueue> queues;
    std::unique_ptr<VsockDevice> device;
    std::vector<Fd> accepted;
    std::vector<uint16_t> broken;
    std::array<uint16_t, kSize> slots{};
    uint32_t buffer = 65536; // the guest's buf_alloc and fwd_cnt
    uint32_t forwarded = 0;
    int interrupts = 0;
    bool refuse = false;

  private:
    static constexpr uint64_t kTxHeader = 0x8000;
    static constexpr uint64_t kTxPayload = 0x80000;
    static constexpr uint64_t kRxBuffers = 0x10000;

    Result<Fd> accept(uint32_t) {
        if (refuse)
            return Error{ECONNREFUSED, "test"};
        auto pair = unix_pair();
        REQUIRE(pair);
        accepted.push_back(std::move(pair->first));
        return std::move(pair->second);
    }

    Packet read_packet(const Used& used, bool refill) {
        const uint16_t slot = slots[used.id];
        Packet packet;
        REQUIRE(used.length >= sizeof packet.header);
        REQUIRE(memory.read(kRxBuffers + slot * kRxBytes, &packet.header, sizeof packet.header));
        REQUIRE(used.length == sizeof packet.header + packet.header.len);
        packet.payload.resize(packet.header.len);
        REQUIRE(memory.read(kRxBuffers + slot * kRxBytes + sizeof packet.header, packet.payload.data(),
                            packet.payload.size()));
        if (refill)
            offer_rx(slot);
        return packet;
    }
};

// Everything that can be read from `socket` now.
inline std::string read_available(int socket) {
    std::string all;
    char bytes[65536];
    for (ssize_t count; (count = ::read(socket, bytes, sizeof bytes)) > 0;)
        all.append(bytes, static_cast<size_t>(count));
    return all;
}

inline bool at_end(int socket) {
    char byte;
    return ::read(socket, &byte, 1) == 0;
}

// The other end is gone, with bytes unread there or not.
inline bool closed(int socket) {
    char byte;
    const ssize_t count = ::read(socket, &byte, 1);
    return count == 0 || (count < 0 && errno == ECONNRESET);
}

inline std::string pattern(size_t size) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<char>(i * 131 + (i >> 8));
    return bytes;
}

} // namespace hrun::virtio::test
