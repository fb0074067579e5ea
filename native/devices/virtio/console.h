// SPDX-License-Identifier: Apache-2.0
// The console device (virtio 1.2, 5.3) with one port: a terminal with a size.
//
// Bytes are lost neither way: what the host does not take stays in the guest's buffers, and what the guest has no buffer
// for is kept here up to kInputBytes, of which the host is told.
#pragma once

#include <functional>
#include <optional>

#include "base/byte_ring.h"
#include "base/event_loop.h"
#include "devices/virtio/device.h"

namespace hrun::virtio {

class ConsoleDevice : public Device {
  public:
    enum Queue : uint16_t { kReceive = 0, kTransmit = 1 }; // 5.3.2, of port 0
    static constexpr uint16_t kQueueSize = 64;
    static constexpr size_t kInputBytes = 4096;

    // The host's side. Both are called on the loop's thread; neither may deactivate or destroy the device.
    struct Host {
        // Takes output of the guest; returns how many bytes. After fewer than all, output_ready() must follow.
        std::function<size_t(std::span<const char> bytes)> output;
        // After receive() has taken less than all: there is room again.
        std::function<void()> input_room = [] {};
    };

    // `loop` outlives the device.
    ConsoleDevice(EventLoop& loop, Host host) : loop_(loop), host_(std::move(host)) {}

    // Input for the guest; returns how many bytes were taken.
    size_t receive(std::span<const char> bytes);
    // The host takes output again.
    void output_ready();
    // The terminal's size in characters, told to a driver that has agreed to VIRTIO_CONSOLE_F_SIZE.
    void resize(uint16_t columns, uint16_t rows);

    DeviceId device_id() const override { return kConsole; }
    uint64_t device_features() const override;
    std::span<const uint16_t> queue_max_sizes() const override;
    void read_config(uint32_t offset, std::span<std::byte> out) const override;
    void write_config(uint32_t offset, std::span<const std::byte> data) override;
    void activate(const Activation& activation) override;
    void deactivate() override;
    void queue_notify(uint16_t queue) override;
    void save(ByteWriter& out) const override;
    Result<void> load(ByteReader& in) override;

  private:
    void serve_receive();
    void serve_transmit();
    void schedule();
    std::optional<uint32_t> give_input(const DescriptorChain& chain);
    std::optional<uint32_t> take_output(const DescriptorChain& chain);

    EventLoop& loop_;
    Host host_;
    uint16_t columns_ = 0;
    uint16_t rows_ = 0;
    std::optional<Activation> active_;
    DescriptorChain chain_;
    std::vector<iovec> parts_;
    Timer turn_;
    ByteRing input_{kInputBytes};
    bool input_refused_ = false; // the host waits for input_room()
    bool output_full_ = false;   // the host has not taken all: output_ready() will come
    size_t output_budget_ = 0;   // bytes that this turn may still pass on
    uint32_t taken_ = 0;         // bytes of the first waiting chain that the host has
};

} // namespace hrun::virtio
