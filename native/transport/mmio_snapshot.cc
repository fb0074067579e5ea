// SPDX-License-Identifier: Apache-2.0
// A device's registers and queues in a snapshot. The file is hostile: what comes out of it is held to the rules that a driver's
// writes are held to, and queue addresses are checked by Virtqueue::start as ever.
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include <algorithm>

#include "transport/mmio.h"

namespace hrun::transport {

namespace {

using Config = std::array<std::byte, RegisterPage::kConfigSize>;

constexpr uint32_t kInterruptReasons = VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG;

Error corrupt(const char* what) {
    return Error{EBADMSG, std::string("restore a device with ") + what};
}

} // namespace

struct MmioTransport::Saved {
    struct Queue {
        QueueSetup setup;
        bool running; // started, and not broken since
        virtio::Virtqueue::Position position;
    };
    uint32_t device_id = 0;
    uint32_t status = 0;
    bool needs_reset = false;
    bool active = false;
    uint32_t device_features_select = 0;
    uint32_t driver_features_select = 0;
    uint64_t driver_features = 0;
    uint32_t queue_select = 0;
    uint32_t interrupt_status = 0;
    uint32_t config_generation = 0;
    Config config{};
    std::vector<Queue> queues;
    std::span<const std::byte> device;
    bool whole = false;
};

Result<void> MmioTransport::save(ByteWriter& out) {
    if (device_.served_elsewhere())
        return Error{ENOTSUP,
                     "save a machine with a device that another process serves (shared directories)"};
    HRUN_TRY(device_.quiesce());
    out.put<uint32_t>(device_.device_id());
    out.put<uint32_t>(status_);
    out.put<uint8_t>((page_->get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET) != 0);
    out.put<uint8_t>(active_);
    out.put<uint32_t>(device_features_select_);
    out.put<uint32_t>(driver_features_select_);
    out.put<uint64_t>(driver_features_);
    out.put<uint32_t>(queue_select_);
    out.put<uint32_t>(page_->get(VIRTIO_MMIO_INTERRUPT_STATUS));
    out.put<uint32_t>(page_->get(VIRTIO_MMIO_CONFIG_GENERATION));
    Config config{};
    page_->read(VIRTIO_MMIO_CONFIG, config);
    out.append(config);
    out.put<uint32_t>(static_cast<uint32_t>(setups_.size()));
    for (size_t i = 0; i < setups_.size(); ++i) {
        const QueueSetup& setup = setups_[i];
        const virtio::Virtqueue::Position position = virtqueues_[i].position();
        out.put<uint16_t>(setup.layout.size);
        out.put<uint64_t>(setup.layout.descriptor_table);
        out.put<uint64_t>(setup.layout.driver_area);
        out.put<uint64_t>(setup.layout.device_area);
        out.put<uint8_t>(setup.ready);
        out.put<uint8_t>(virtqueues_[i].ready());
        out.put<uint16_t>(position.next_avail);
        out.put<uint16_t>(position.next_used);
    }
    ByteWriter device;
    device_.save(device);
    out.put_block(device.bytes());
    return {};
}

MmioTransport::Saved MmioTransport::read_saved(ByteReader& in) const {
    Saved saved;
    saved.device_id = in.take<uint32_t>();
    saved.status = in.take<uint32_t>();
    saved.needs_reset = in.take<uint8_t>() != 0;
    saved.active = in.take<uint8_t>() != 0;
    saved.device_features_select = in.take<uint32_t>();
    saved.driver_features_select = in.take<uint32_t>();
    saved.driver_features = in.take<uint64_t>();
    saved.queue_select = in.take<uint32_t>();
    saved.interrupt_status = in.take<uint32_t>();
    saved.config_generation = in.take<uint32_t>();
    saved.config = in.take_struct<Config>();
    const auto queues = in.take<uint32_t>();
    for (uint32_t i = 0; i < queues && in.ok(); ++i) {
        Saved::Queue queue{};
        queue.setup.layout.size = in.take<uint16_t>();
        queue.setup.layout.descriptor_table = in.take<uint64_t>();
        queue.setup.layout.driver_area = in.take<uint64_t>();
        queue.setup.layout.device_area = in.take<uint64_t>();
        queue.setup.ready = in.take<uint8_t>() != 0;
        queue.running = in.take<uint8_t>() != 0;
        queue.position = {in.take<uint16_t>(), in.take<uint16_t>()};
        saved.queues.push_back(queue);
    }
    saved.device = in.take_block();
    saved.whole = in.finished();
    return saved;
}

Result<void> MmioTransport::check_saved(const Saved& saved) const {
    if (!saved.whole)
        return corrupt("a state of another length");
    if (saved.device_id != device_.device_id())
        return Error{EINVAL, "restore a device of type " + std::to_string(saved.device_id) +
                                 " where there is one of type " + std::to_string(device_.device_id())};
    if (saved.queues.size() != setups_.size())
        return corrupt("another number of queues");
    if ((saved.status & ~kStatusDriver) || (saved.interrupt_status & ~kInterruptReasons))
        return corrupt("bits in its registers that mean nothing");
    const bool features_ok = saved.status & VIRTIO_CONFIG_S_FEATURES_OK;
    const bool driver_ok = saved.status & VIRTIO_CONFIG_S_DRIVER_OK;
    if ((driver_ok && !features_ok) || (saved.active && !driver_ok))
        return corrupt("a driver that cannot have come so far");
    if (features_ok && !(saved.driver_features & virtio::kFeatureVersion1))
        return corrupt("a driver of before virtio 1.0");
    if (features_ok && (saved.driver_features & ~device_.device_features()))
        return Error{EINVAL, "restore a driver that uses what this device does not offer"};
    return {};
}

Result<void> MmioTransport::restore(ByteReader& in) {
    if (device_.served_elsewhere())
        return Error{ENOTSUP, "restore a device that another process serves"};
    const Saved saved = read_saved(in);
    HRUN_TRY(check_saved(saved));
    status_ = saved.status;
    device_features_select_ = saved.device_features_select;
    driver_features_select_ = saved.driver_features_select;
    driver_features_ = saved.driver_features;
    queue_select_ = saved.queue_select;
    for (size_t i = 0; i < setups_.size(); ++i)
        setups_[i] = saved.queues[i].setup;
    page_->set(VIRTIO_MMIO_STATUS, saved.status | (saved.needs_reset ? VIRTIO_CONFIG_S_NEEDS_RESET : 0));
    page_->set(VIRTIO_MMIO_INTERRUPT_STATUS, saved.interrupt_status);
    page_->set(VIRTIO_MMIO_CONFIG_GENERATION, saved.config_generation);
    ByteReader device(saved.device);
    HRUN_TRY(device_.load(device));
    if (!device.finished())
        return corrupt("a state of its own of another length");
    show_config();
    return saved.active ? resume_device(saved) : Result<void>();
}

// KVM raises an interrupt some time after its event descriptor was signalled, so one may be in no state that was saved: each comes
// again, and a driver that has seen it already finds nothing new.
Result<void> MmioTransport::resume_device(const Saved& saved) {
    for (size_t i = 0; i < saved.queues.size(); ++i) {
        const Saved::Queue& queue = saved.queues[i];
        if (queue.running &&
            !virtqueues_[i].start(memory_, queue.setup.layout, driver_features_, queue.position))
            return corrupt("a queue that is not in memory");
    }
    Config config{};
    page_->read(VIRTIO_MMIO_CONFIG, config);
    active_ = true;
    device_.activate({&memory_, virtqueues_, this, driver_features_});
    if (config != saved.config)
        signal_config();
    else if (page_->get(VIRTIO_MMIO_INTERRUPT_STATUS) != 0)
        interrupt_.signal();
    return {};
}

} // namespace hrun::transport
