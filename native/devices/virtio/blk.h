// SPDX-License-Identifier: Apache-2.0
// The virtio block device (virtio 1.2, 5.2): one queue, over a raw file or a host's block device.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "devices/virtio/blk_workers.h"
#include "devices/virtio/device.h"

namespace hrun::virtio {

class BlkDevice : public Device {
  public:
    static constexpr uint16_t kQueueSize = 256;

    // `loop` outlives the device. `serial`: at most 20 bytes, what the guest reads as the disk's serial number.
    static Result<std::unique_ptr<BlkDevice>> create(EventLoop& loop, BlkBackend backend, std::string serial);

    // With it, the driver never learns that the host could not write or flush: its file system would break for what is the
    // host's trouble. The request stays unanswered, and `failed` is called on the loop's thread, for the owner to end
    // the machine; it must not destroy the device.
    void on_write_error(std::function<void(const Error&)> failed) { failed_ = std::move(failed); }

    // Called on each thread that carries out requests, before its first: set it before the device is used.
    void on_worker_start(std::function<void()> started) { workers_.on_start(std::move(started)); }

    DeviceId device_id() const override { return kBlock; }
    uint64_t device_features() const override;
    std::span<const uint16_t> queue_max_sizes() const override;
    void read_config(uint32_t offset, std::span<std::byte> out) const override;
    void activate(const Activation& activation) override;
    void deactivate() override;
    void queue_notify(uint16_t queue) override;
    Result<void> quiesce() override;
    void save(ByteWriter& out) const override;
    Result<void> load(ByteReader& in) override;

  private:
    BlkDevice(EventLoop& loop, BlkBackend backend, std::string serial, EventFd finished);

    Virtqueue& queue() { return active_->queues[0]; }
    void take_requests();
    bool answer_cached(BlkRequest& request, uint64_t& bytes_left);
    void finish_turn(Virtqueue::Pop pop, bool more);
    void return_finished();
    void give_back_finished();
    void publish();

    EventLoop& loop_;
    BlkBackend backend_;
    std::string serial_;
    EventFd finished_;
    std::function<void(const Error&)> failed_;
    BlkWorkers workers_;
    Watch watch_;
    std::optional<Activation> active_;
    DescriptorChain chain_;
    Timer turn_;           // more chains wait
    size_t in_flight_ = 0; // requests with the workers
};

} // namespace hrun::virtio
