// SPDX-License-Identifier: Apache-2.0
// What every virtio device is to a transport, and all that a device sees of one (virtio 1.2, chapter 2).
//
// A device sees queues, guest memory and an interrupt handle; never KVM, a register or a transport.
// virtio-mmio and vhost-user are two transports for the same devices. A device and its queues belong to one thread:
// the one that runs the EventLoop the device was made with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/result.h"
#include "devices/virtio/features.h"
#include "devices/virtio/queue.h"
#include "memory/guest_memory.h"

namespace hrun::virtio {

// How a device gets the driver's attention. Made by the transport; outlives the device's activation.
class Interrupt {
  public:
    virtual ~Interrupt() = default;
    // Used buffer notification of one queue (2.3). Call it only when Virtqueue::publish said so.
    virtual void signal_queue(uint16_t queue) = 0;
    // Configuration change notification (2.3).
    virtual void signal_config() = 0;
    // The driver broke this queue; the device serves it no more. virtio-mmio raises DEVICE_NEEDS_RESET (2.1.2),
    // vhost-user signals the ring's error descriptor.
    virtual void signal_broken(uint16_t queue) = 0;
};

// What another process needs to serve a queue: where it is, checked against guest memory, and two event descriptors, one that
// the driver's notifications signal and one whose signals are used buffer notifications.
struct QueueWiring {
    Virtqueue::Layout layout;
    int notification;
    int interrupt;
};

// What a transport hands over when the driver is ready. The queues stay the transport's: it starts and stops each;
// a device must find out with Virtqueue::ready() at every use, for vhost-user starts and stops them one by one.
struct Activation {
    const GuestMemory* memory;
    std::span<Virtqueue> queues;
    Interrupt* interrupt;
    uint64_t features; // negotiated: a subset of device_features()
    std::span<const QueueWiring> wiring =
        {}; // of each queue, for a device that is served elsewhere; until activate() returns
};

class Device {
  public:
    virtual ~Device() = default;

    virtual DeviceId device_id() const = 0;
    // Offered feature bits, device-specific and reserved ones (2.2).
    virtual uint64_t device_features() const = 0;
    // Largest size of each queue; the length is the number of queues.
    virtual std::span<const uint16_t> queue_max_sizes() const = 0;

    // True when another process serves the queues: nothing here may touch them, nor read the notifications.
    virtual bool served_elsewhere() const { return false; }

    // Device configuration space (2.5). Bytes past its end read as zero; writes there are dropped.
    virtual void read_config(uint32_t offset, std::span<std::byte> out) const = 0;
    virtual void write_config(uint32_t, std::span<const std::byte>) {}

    // Begins to serve the queues. The transport calls it once per DRIVER_OK, with a deactivate in between.
    virtual void activate(const Activation& activation) = 0;
    // Lets go of queues, memory and interrupt at once, requests in flight included, and forgets what the driver
    // had set up. Called on reset and before memory goes away.
    virtual void deactivate() = 0;
    // Available buffer notification (2.3): the driver may have added buffers to `queue`.
    virtual void queue_notify(uint16_t queue) = 0;

    // ---- snapshots (docs/snapshot-format.md), while no vCPU runs

    // Finishes the requests that it has taken out of its queues: what there is of it is then in guest memory, in its queues'
    // positions and in save(). The error says why it cannot be saved.
    virtual Result<void> quiesce() { return {}; }
    // Puts down what there is of it beside that. What is the host's (files, sockets, connections) is not.
    virtual void save(ByteWriter&) const {}
    // Takes up what save() has put down, in a device that has not been active; activate() follows if the saved one was. Nothing in
    // it may be trusted. The error says what is wrong; bytes missing or left over are the caller's to notice.
    virtual Result<void> load(ByteReader&) { return {}; }
};

} // namespace hrun::virtio
