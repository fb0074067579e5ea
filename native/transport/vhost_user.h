// SPDX-License-Identifier: Apache-2.0
// vhost-user as a transport for a virtio device: the back end of one front end (QEMU) over one socket.
//
// The front end is not trusted more than its guest: a message that breaks the protocol closes the connection, and
// whatever it maps or points to is checked as guest memory is.
#pragma once

#include <functional>
#include <vector>

#include "base/event_fd.h"
#include "base/event_loop.h"
#include "devices/virtio/device.h"
#include "transport/vhost_user_memory.h"
#include "transport/vhost_user_message.h"

namespace hrun::vhost_user {

class Backend : private virtio::Interrupt {
  public:
    // Told once why the connection ended; ECONNRESET when the front end closed it.
    using Closed = std::function<void(const Error&)>;

    // `loop` and `device` outlive the back end.
    Backend(EventLoop& loop, virtio::Device& device, Fd socket, Closed closed);
    ~Backend();

    // Begins to serve the front end.
    Result<void> start();

  private:
    struct Vring {
        explicit Vring(uint16_t max_size) : queue_max(max_size) {}

        uint16_t queue_max;
        uint16_t size = 0;
        uint16_t base = 0; // next available entry
        bool started = false;
        bool enabled = false;
        VringAddress address{};
        EventFd kick;
        EventFd call;
        EventFd error;
        Watch kicked;
    };

    struct RingNumber {
        Vring& ring;
        uint32_t number;
    };

    void receive();
    void close(const Error& error);
    Result<void> handle(Message& message);
    Result<void> handle_set(Message& message);
    Result<void> reply_u64(const Message& message, uint64_t value);

    Result<void> set_features(const Message& message);
    Result<void> set_memory(const Message& message);
    Result<void> get_config(const Message& message);
    Result<void> set_config(const Message& message);
    Result<void> set_vring_num(const Message& message);
    Result<void> set_vring_address(const Message& message);
    Result<void> set_vring_base(const Message& message);
    Result<void> get_vring_base(const Message& message);
    Result<void> set_vring_kick(Message& message);
    Result<void> set_vring_fd(Message& message, EventFd Vring::*which);
    Result<void> set_vring_enable(const Message& message);

    Result<Vring*> vring(uint64_t index);
    Result<RingNumber> ring_number(const Message& message);
    Result<EventFd> take_event_fd(Message& message, uint64_t value);
    Result<void> update(Vring& vring);
    Result<void> run(Vring& vring);
    void halt(Vring& vring);
    void reset();
    size_t index_of(const Vring& vring) const { return static_cast<size_t>(&vring - vrings_.data()); }

    void signal_queue(uint16_t queue) override;
    void signal_config() override {} // no back-end channel: this device's configuration never changes
    void signal_broken(uint16_t queue) override;

    EventLoop& loop_;
    virtio::Device& device_;
    Fd socket_;
    Closed closed_;
    Watch watch_;
    MessageReader reader_;
    uint64_t features_ = 0;
    uint64_t protocol_features_ = 0;
    SharedMemory memory_;
    std::vector<Vring> vrings_;
    std::vector<virtio::Virtqueue> queues_; // one per vring; ready while the vring is started and enabled
    bool active_ = false;                   // the device is activated: at least one queue has run since reset
};

} // namespace hrun::vhost_user
