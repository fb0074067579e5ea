// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/blk.h"

#include <linux/virtio_blk.h>

#include "devices/virtio/config_space.h"

namespace hrun::virtio {

namespace {

constexpr uint32_t kSector = 512;
constexpr uint64_t kCachedBytesPerTurn = 1 << 20; // some 0.2 ms
constexpr uint64_t bit(int feature) {
    return 1ull << feature;
}

virtio_blk_config config_of(const BlkBackend& backend) {
    virtio_blk_config config{};
    config.capacity = backend.size() / kSector;
    config.seg_max = BlkDevice::kQueueSize - 2; // header and status take two
    config.blk_size = kSector;
    config.max_discard_sectors = kBlkMaxRangeSectors;
    config.max_discard_seg = kBlkMaxSegments;
    config.discard_sector_alignment = 4096 / kSector;
    config.max_write_zeroes_sectors = kBlkMaxRangeSectors;
    config.max_write_zeroes_seg = kBlkMaxSegments;
    config.write_zeroes_may_unmap = 1;
    return config;
}

} // namespace

Result<std::unique_ptr<BlkDevice>> BlkDevice::create(EventLoop& loop, BlkBackend backend,
                                                     std::string serial) {
    if (serial.size() > VIRTIO_BLK_ID_BYTES)
        return Error{EINVAL, "name a disk " + serial};
    Result<EventFd> finished = EventFd::create();
    if (!finished)
        return finished.error();
    std::unique_ptr<BlkDevice> device(
        new BlkDevice(loop, std::move(backend), std::move(serial), std::move(*finished)));
    Result<Watch> watch = loop.watch(device->finished_.get(), EPOLLIN,
                                     [self = device.get()](uint32_t) { self->return_finished(); });
    if (!watch)
        return watch.error();
    device->watch_ = std::move(*watch);
    return device;
}

BlkDevice::BlkDevice(EventLoop& loop, BlkBackend backend, std::string serial, EventFd finished)
    : loop_(loop), backend_(std::move(backend)), serial_(std::move(serial)), finished_(std::move(finished)),
      workers_([this](BlkRequest& request) { request.run(backend_, serial_); }, finished_) {}

uint64_t BlkDevice::device_features() const {
    uint64_t features = kFeatureVersion1 | kFeatureIndirectDesc | kFeatureEventIdx |
                        bit(VIRTIO_BLK_F_SEG_MAX) | bit(VIRTIO_BLK_F_BLK_SIZE) | bit(VIRTIO_BLK_F_FLUSH);
    if (backend_.read_only())
        return features | bit(VIRTIO_BLK_F_RO);
    return features | bit(VIRTIO_BLK_F_DISCARD) | bit(VIRTIO_BLK_F_WRITE_ZEROES);
}

std::span<const uint16_t> BlkDevice::queue_max_sizes() const {
    static constexpr uint16_t kSizes[] = {kQueueSize};
    return kSizes;
}

void BlkDevice::read_config(uint32_t offset, std::span<std::byte> out) const {
    const virtio_blk_config config = config_of(backend_);
    read_config_space(std::as_bytes(std::span(&config, 1)), offset, out);
}

void BlkDevice::activate(const Activation& activation) {
    active_ = activation;
    take_requests();
}

void BlkDevice::deactivate() {
    workers_.drain();
    in_flight_ = 0;
    turn_.reset();
    active_.reset();
}

void BlkDevice::queue_notify(uint16_t) {
    take_requests();
}

// Reads what the host has in memory at once, and hands over the rest in one go: one wake-up for many requests. A driver may
// neither have more requests in flight than its queue has entries, whatever its ring says, nor keep this thread for longer
// than one queue's worth, kCachedBytesPerTurn of it read here.
void BlkDevice::take_requests() {
    if (!active_)
        return;
    const uint16_t size = queue().size();
    std::vector<BlkRequest> requests;
    auto pop = Virtqueue::Pop::kChain;
    uint16_t left = size;
    uint64_t cached_left = kCachedBytesPerTurn;
    while (left > 0 && in_flight_ + requests.size() < size &&
           (pop = queue().pop(chain_)) == Virtqueue::Pop::kChain) {
        --left;
        if (BlkRequest request(chain_); !request.answerable())
            queue().push(chain_.head, 0);
        else if (!answer_cached(request, cached_left))
            requests.push_back(std::move(request));
    }
    in_flight_ += requests.size();
    if (!requests.empty())
        workers_.submit(std::move(requests));
    finish_turn(pop, left == 0);
}

bool BlkDevice::answer_cached(BlkRequest& request, uint64_t& bytes_left) {
    if (!request.run_cached(backend_, bytes_left))
        return false;
    bytes_left -= request.data_bytes();
    request.finish();
    queue().push(request.head(), request.written());
    return true;
}

void BlkDevice::finish_turn(Virtqueue::Pop pop, bool more) {
    publish();
    if (pop == Virtqueue::Pop::kBroken)
        active_->interrupt->signal_broken(0);
    if (pop == Virtqueue::Pop::kEmpty)
        more = queue().enable_notifications();
    if (more)
        turn_ = loop_.after({}, [this] { take_requests(); });
}

void BlkDevice::return_finished() {
    finished_.drain();
    if (!active_)
        return;
    give_back_finished();
    take_requests(); // some may have waited for room
}

void BlkDevice::give_back_finished() {
    for (const BlkRequest& request : workers_.take_finished()) {
        if (request.write_error() && failed_) {
            failed_(*request.write_error());
            continue;
        }
        request.finish();
        queue().push(request.head(), request.written());
        --in_flight_;
    }
}

// ---- snapshots

Result<void> BlkDevice::quiesce() {
    if (!active_)
        return {};
    workers_.finish();
    give_back_finished();
    publish();
    if (in_flight_ > 0)
        return Error{EIO, "save a disk that the host could not write"};
    return {};
}

// The disk itself is its owner's to keep. What the driver has been told of it must still hold.
void BlkDevice::save(ByteWriter& out) const {
    out.put<uint64_t>(backend_.size() / kSector);
    out.put<uint8_t>(backend_.read_only());
}

Result<void> BlkDevice::load(ByteReader& in) {
    const auto sectors = in.take<uint64_t>();
    const bool read_only = in.take<uint8_t>() != 0;
    if (in.ok() && (sectors != backend_.size() / kSector || read_only != backend_.read_only()))
        return Error{EINVAL, "restore a disk of " + std::to_string(sectors) + " sectors" +
                                 (read_only ? ", read-only," : "") + " with one of " +
                                 std::to_string(backend_.size() / kSector) +
                                 (backend_.read_only() ? ", read-only" : "")};
    return {};
}

void BlkDevice::publish() {
    if (queue().publish())
        active_->interrupt->signal_queue(0);
}

} // namespace hrun::virtio
