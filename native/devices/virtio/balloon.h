// SPDX-License-Identifier: Apache-2.0
// The traditional memory balloon (virtio 1.2, 5.5): memory that the guest lends to the host, free pages that it reports,
// and its statistics.
//
// Given pages are freed in the memory file at once. A page that the guest touches again comes back as zeroes, whether it
// told of that or not, so nothing here depends on the driver's keeping to the rules.
#pragma once

#include <functional>
#include <optional>

#include "base/event_loop.h"
#include "devices/virtio/balloon_stats.h"
#include "devices/virtio/device.h"

namespace hrun::virtio {

class BalloonDevice : public Device {
  public:
    // 5.5.2, but without a free_page_vq, for its feature is not offered. Drivers number the queues that exist one after
    // the other: without a statistics queue the reporting queue is kStats.
    enum Queue : uint16_t { kInflate = 0, kDeflate = 1, kStats = 2, kReporting = 3 };
    static constexpr uint16_t kQueueSize = 128;

    // What the guest has reported; on the loop's thread.
    using StatsReported = std::function<void(const BalloonStats& stats)>;

    // `loop` outlives the device.
    BalloonDevice(EventLoop& loop, StatsReported reported) : loop_(loop), reported_(std::move(reported)) {}

    // Asks the guest to lend `pages` of 4 KiB in all. How many it does is its own decision; see lent_pages().
    void set_target(uint32_t pages);
    uint32_t target() const { return target_; }
    // As the guest says.
    uint32_t lent_pages() const { return actual_; }
    // Bytes freed so far, lent or reported; a page freed twice counts twice.
    uint64_t freed_bytes() const { return freed_bytes_; }
    // Has the guest report new statistics. False when it cannot be asked: no driver, no such feature agreed on, or the last
    // request is still unanswered.
    bool request_stats();

    DeviceId device_id() const override { return kBalloon; }
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
    bool agreed(uint64_t feature) const { return active_ && (active_->features & feature); }
    void schedule();
    void serve_inflate();
    void serve_deflate();
    void serve_reporting();
    void read_stats();
    std::optional<uint32_t> inflate(const DescriptorChain& chain);
    void free_page_frames(std::span<uint32_t> frames);
    bool free_run(uint32_t frame, uint64_t count);
    void free_range(const iovec& range);

    EventLoop& loop_;
    StatsReported reported_;
    uint32_t target_ = 0;
    uint32_t actual_ = 0;
    uint64_t freed_bytes_ = 0;
    std::optional<Activation> active_;
    DescriptorChain chain_;
    std::vector<iovec> parts_;
    Timer turn_;
    uint32_t taken_ = 0;       // bytes of the first waiting chain of the inflate queue that are done
    uint32_t frames_left_ = 0; // page frames that this turn may still free
    bool stats_read_ =
        false; // the first waiting chain of the statistics queue is read: it goes back to ask for more
};

} // namespace hrun::virtio
