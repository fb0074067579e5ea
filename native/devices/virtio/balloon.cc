// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/balloon.h"

#include <linux/virtio_balloon.h>

#include <algorithm>
#include <cstddef>

#include "devices/virtio/config_space.h"
#include "devices/virtio/queue_turn.h"
#include "memory/discard.h"

namespace hrun::virtio {

namespace {

constexpr uint64_t kMustTellHost = 1ull << VIRTIO_BALLOON_F_MUST_TELL_HOST;
constexpr uint64_t kStatsVq = 1ull << VIRTIO_BALLOON_F_STATS_VQ;
constexpr uint64_t kDeflateOnOom = 1ull << VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
constexpr uint64_t kPageReporting = 1ull << VIRTIO_BALLOON_F_REPORTING;
constexpr int kChainsPerTurn = 32;
constexpr uint32_t kFramesPerTurn = 1024; // four of Linux's requests; at worst a system call each
constexpr uint64_t kFrameSize = 1ull << VIRTIO_BALLOON_PFN_SHIFT;
static_assert(kFrameSize == kDiscardUnit);

} // namespace

uint64_t BalloonDevice::device_features() const {
    return kFeatureVersion1 | kFeatureIndirectDesc | kFeatureEventIdx | kMustTellHost | kStatsVq |
           kDeflateOnOom | kPageReporting;
}

std::span<const uint16_t> BalloonDevice::queue_max_sizes() const {
    static constexpr uint16_t kSizes[] = {kQueueSize, kQueueSize, kQueueSize, kQueueSize};
    return kSizes;
}

void BalloonDevice::read_config(uint32_t offset, std::span<std::byte> out) const {
    const virtio_balloon_config config{.num_pages = target_, .actual = actual_};
    read_config_space(std::as_bytes(std::span(&config, 1)), offset, out);
}

void BalloonDevice::write_config(uint32_t offset, std::span<const std::byte> data) {
    write_config_field(std::as_writable_bytes(std::span(&actual_, 1)),
                       offsetof(virtio_balloon_config, actual), offset, data);
}

void BalloonDevice::activate(const Activation& activation) {
    active_ = activation;
    schedule();
}

void BalloonDevice::deactivate() {
    turn_.reset();
    active_.reset();
    actual_ = 0; // the next driver begins with an empty balloon
    taken_ = 0;
    stats_read_ = false;
}

void BalloonDevice::queue_notify(uint16_t index) {
    if (index == kInflate)
        serve_inflate();
    if (index == kDeflate)
        serve_deflate();
    if (index == kStats && agreed(kStatsVq))
        read_stats();
    if (index >= kStats)
        serve_reporting();
}

void BalloonDevice::save(ByteWriter& out) const {
    out.put<uint32_t>(target_);
    out.put<uint32_t>(actual_);
    out.put<uint32_t>(taken_);
    out.put<uint8_t>(stats_read_);
}

Result<void> BalloonDevice::load(ByteReader& in) {
    target_ = in.take<uint32_t>();
    actual_ = in.take<uint32_t>();
    taken_ = in.take<uint32_t>();
    stats_read_ = in.take<uint8_t>() != 0;
    return {};
}

void BalloonDevice::schedule() {
    if (active_ && !turn_.active())
        turn_ = loop_.after({}, [this] {
            serve_inflate();
            serve_deflate();
            serve_reporting();
            read_stats();
        });
}

void BalloonDevice::set_target(uint32_t pages) {
    target_ = pages;
    if (active_)
        active_->interrupt->signal_config();
}

// ---- pages

void BalloonDevice::serve_inflate() {
    if (!active_)
        return;
    frames_left_ = kFramesPerTurn;
    const auto handle = [this](const DescriptorChain& chain) { return inflate(chain); };
    if (take_turn(*active_, kInflate, kChainsPerTurn, chain_, handle) != Turn::kDone)
        schedule();
}

// A chain goes back when all its pages are freed. If the driver changes one that waits, it is then what it is now that is
// gone on with: only ever its own pages are freed.
std::optional<uint32_t> BalloonDevice::inflate(const DescriptorChain& chain) {
    uint32_t frames[kFramesPerTurn];
    parts_.clear();
    slice(chain.readable, taken_, frames_left_ * sizeof frames[0], parts_);
    const size_t bytes = copy_from(parts_, frames, sizeof frames);
    const auto count = static_cast<uint32_t>(bytes / sizeof frames[0]);
    free_page_frames({frames, count});
    frames_left_ -= count;
    taken_ += count * static_cast<uint32_t>(sizeof frames[0]);
    if (uint64_t{taken_} + sizeof frames[0] <= chain.readable_bytes)
        return std::nullopt;
    taken_ = 0;
    return 0;
}

// Frames in a row are freed at once. A frame that is not memory is passed over.
void BalloonDevice::free_page_frames(std::span<uint32_t> frames) {
    std::sort(frames.begin(), frames.end());
    for (size_t begin = 0; begin < frames.size();) {
        size_t end = begin + 1;
        while (end < frames.size() && frames[end] - frames[end - 1] <= 1)
            ++end;
        if (!free_run(frames[begin], uint64_t{frames[end - 1]} - frames[begin] + 1))
            for (size_t i = begin; i < end; ++i)
                free_run(frames[i], 1);
        begin = end;
    }
}

// False, with nothing done, when a part of the run is not memory.
bool BalloonDevice::free_run(uint32_t frame, uint64_t count) {
    parts_.clear();
    if (!active_->memory->segments(frame * kFrameSize, count * kFrameSize, parts_))
        return false;
    for (const iovec& part : parts_)
        free_range(part);
    return true;
}

// Nothing is to be done: the pages come back when they are touched. The driver waits to be told so (MUST_TELL_HOST).
void BalloonDevice::serve_deflate() {
    const auto acknowledge = [](const DescriptorChain&) { return std::optional<uint32_t>(0); };
    if (active_ && take_turn(*active_, kDeflate, kChainsPerTurn, chain_, acknowledge) == Turn::kMore)
        schedule();
}

// 5.5.6.7: each buffer is a range of free pages.
void BalloonDevice::serve_reporting() {
    if (!agreed(kPageReporting))
        return;
    const auto handle = [this](const DescriptorChain& chain) {
        for (const iovec& range : chain.writable)
            free_range(range);
        return std::optional<uint32_t>(0);
    };
    const uint16_t index = agreed(kStatsVq) ? kReporting : kStats;
    if (take_turn(*active_, index, kChainsPerTurn, chain_, handle) == Turn::kMore)
        schedule();
}

void BalloonDevice::free_range(const iovec& range) {
    if (Result<uint64_t> freed = discard_pages(range, active_->memory->backing()))
        freed_bytes_ += *freed;
}

// ---- statistics

// The driver's buffer stays in the queue until statistics are asked for: giving it back is the question (5.5.6.3).
void BalloonDevice::read_stats() {
    if (!agreed(kStatsVq) || active_->queues.size() <= kStats || stats_read_)
        return;
    Virtqueue& queue = active_->queues[kStats];
    const Virtqueue::Pop pop = queue.pop(chain_);
    if (pop == Virtqueue::Pop::kBroken)
        active_->interrupt->signal_broken(kStats);
    if (pop != Virtqueue::Pop::kChain)
        return;
    const BalloonStats stats = read_balloon_stats(chain_);
    queue.unpop(1);
    stats_read_ = true;
    reported_(stats);
}

bool BalloonDevice::request_stats() {
    if (!agreed(kStatsVq) || active_->queues.size() <= kStats || !stats_read_)
        return false;
    Virtqueue& queue = active_->queues[kStats];
    const Virtqueue::Pop pop = queue.pop(chain_);
    if (pop == Virtqueue::Pop::kBroken)
        active_->interrupt->signal_broken(kStats);
    if (pop != Virtqueue::Pop::kChain)
        return false;
    stats_read_ = false;
    queue.push(chain_.head, 0);
    if (queue.publish())
        active_->interrupt->signal_queue(kStats);
    schedule(); // the driver may have left another buffer there
    return true;
}

} // namespace hrun::virtio
