// SPDX-License-Identifier: Apache-2.0
#include "transport/mmio.h"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>

namespace hrun::transport {

namespace {

static_assert(kQueueNotifyOffset == VIRTIO_MMIO_QUEUE_NOTIFY && kQueueNotifyOffset < RegisterPage::kStart);
static_assert(kInterruptAckOffset == VIRTIO_MMIO_INTERRUPT_ACK && kUsedBufferAck == VIRTIO_MMIO_INT_VRING);

constexpr uint32_t kVendor = 0x4e555248; // "HRUN"

uint32_t low(uint64_t value) {
    return static_cast<uint32_t>(value);
}
uint32_t high(uint64_t value) {
    return static_cast<uint32_t>(value >> 32);
}
void set_low(uint64_t& field, uint32_t value) {
    field = (field & ~0xffffffffull) | value;
}
void set_high(uint64_t& field, uint32_t value) {
    field = (field & 0xffffffffull) | uint64_t{value} << 32;
}

} // namespace

Result<std::unique_ptr<MmioTransport>> MmioTransport::create(virtio::Device& device,
                                                             const GuestMemory& memory, EventLoop& loop,
                                                             OnDeviceThread on_device_thread) {
    Result<EventFd> interrupt = EventFd::create();
    if (!interrupt)
        return interrupt.error();
    std::unique_ptr<MmioTransport> transport(
        new MmioTransport(device, memory, std::move(on_device_thread), std::move(*interrupt)));
    HRUN_TRY(transport->watch_queues(loop));
    return transport;
}

MmioTransport::MmioTransport(virtio::Device& device, const GuestMemory& memory,
                             OnDeviceThread on_device_thread, EventFd interrupt)
    : device_(device), memory_(memory), on_device_thread_(std::move(on_device_thread)),
      interrupt_(std::move(interrupt)), setups_(device.queue_max_sizes().size()) {
    for (uint16_t max_size : device.queue_max_sizes())
        virtqueues_.emplace_back(max_size);
    show_config();
}

MmioTransport::~MmioTransport() {
    if (active_)
        device_.deactivate();
}

Result<void> MmioTransport::watch_queues(EventLoop& loop) {
    for (uint16_t queue = 0; queue < virtqueues_.size(); ++queue) {
        Result<EventFd> notification = EventFd::create();
        if (!notification)
            return notification.error();
        const int fd = notification->get();
        queues_.push_back({std::move(*notification), {}});
        if (device_.served_elsewhere())
            continue;
        // Edge-triggered: each notification is an edge, whatever the counter says, so nobody need read it.
        Result<Watch> watch = loop.watch(fd, EPOLLIN | EPOLLET, [this, queue](uint32_t) {
            if (active_)
                device_.queue_notify(queue);
        });
        if (!watch)
            return watch.error();
        queues_.back().watch = std::move(*watch);
    }
    return {};
}

// Registers are 32 bits wide and aligned (4.2.2.2); other accesses to them read as zero and write nothing, but where they
// are memory. The configuration space takes any width.
void MmioTransport::read(uint64_t offset, std::span<std::byte> data) {
    if (offset >= RegisterPage::kStart)
        return page_->read(offset, data);
    std::lock_guard lock(mutex_);
    std::fill(data.begin(), data.end(), std::byte{0});
    if (data.size() != sizeof(uint32_t) || offset % sizeof(uint32_t) != 0)
        return;
    const uint32_t value = read_register(offset);
    memcpy(data.data(), &value, sizeof value);
}

void MmioTransport::write(uint64_t offset, std::span<const std::byte> data) {
    std::lock_guard lock(mutex_);
    if (offset >= VIRTIO_MMIO_CONFIG) {
        const auto at = static_cast<uint32_t>(offset - VIRTIO_MMIO_CONFIG);
        if (status_ & VIRTIO_CONFIG_S_DRIVER)
            on_device_thread_([&] {
                device_.write_config(at, data);
                show_config();
            });
        return;
    }
    uint32_t value;
    if (data.size() != sizeof value || offset % sizeof value != 0)
        return;
    memcpy(&value, data.data(), sizeof value);
    write_register(offset, value);
}

uint32_t MmioTransport::read_register(uint64_t offset) {
    switch (offset) {
    case VIRTIO_MMIO_MAGIC_VALUE:
        return kMagic;
    case VIRTIO_MMIO_VERSION:
        return kVersion;
    case VIRTIO_MMIO_DEVICE_ID:
        return device_.device_id();
    case VIRTIO_MMIO_VENDOR_ID:
        return kVendor;
    case VIRTIO_MMIO_DEVICE_FEATURES:
        if (device_features_select_ > 1)
            return 0;
        return device_features_select_ ? high(device_.device_features()) : low(device_.device_features());
    default:
        return read_queue_register(offset);
    }
}

uint32_t MmioTransport::read_queue_register(uint64_t offset) const {
    if (queue_select_ >= setups_.size())
        return 0; // QueueNumMax 0: no such queue
    switch (offset) {
    case VIRTIO_MMIO_QUEUE_NUM_MAX:
        return device_.queue_max_sizes()[queue_select_];
    case VIRTIO_MMIO_QUEUE_READY:
        return setups_[queue_select_].ready;
    default:
        return 0;
    }
}

void MmioTransport::write_register(uint64_t offset, uint32_t value) {
    switch (offset) {
    case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
        device_features_select_ = value;
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
        driver_features_select_ = value;
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES:
        write_driver_features(value);
        break;
    case VIRTIO_MMIO_QUEUE_SEL:
        queue_select_ = value;
        break;
    case VIRTIO_MMIO_QUEUE_NOTIFY: // only values that no ioeventfd matches come here: queues that do not exist
        break;
    case VIRTIO_MMIO_INTERRUPT_ACK: // the other bit stays: most acknowledgements of it do not come here
        page_->remove_bits(VIRTIO_MMIO_INTERRUPT_STATUS, value & VIRTIO_MMIO_INT_CONFIG);
        break;
    case VIRTIO_MMIO_STATUS:
        write_status(value);
        break;
    default:
        write_queue_register(offset, value);
    }
}

// Features are fixed once FEATURES_OK is set (2.2.1).
void MmioTransport::write_driver_features(uint32_t value) {
    if ((status_ & VIRTIO_CONFIG_S_FEATURES_OK) || driver_features_select_ > 1)
        return;
    if (driver_features_select_ == 0)
        set_low(driver_features_, value);
    else
        set_high(driver_features_, value);
}

// A queue's place is fixed once it is in use: what the driver writes later reaches nothing (4.2.2.2).
void MmioTransport::write_queue_register(uint64_t offset, uint32_t value) {
    if (queue_select_ >= setups_.size() || !queues_configurable())
        return;
    QueueSetup& setup = setups_[queue_select_];
    if (offset == VIRTIO_MMIO_QUEUE_READY) {
        setup.ready = value & 1;
        return;
    }
    if (setup.ready)
        return;
    switch (offset) {
    case VIRTIO_MMIO_QUEUE_NUM:
        setup.layout.size = static_cast<uint16_t>(std::min<uint32_t>(value, UINT16_MAX)); // start() checks it
        break;
    case VIRTIO_MMIO_QUEUE_DESC_LOW:
        set_low(setup.layout.descriptor_table, value);
        break;
    case VIRTIO_MMIO_QUEUE_DESC_HIGH:
        set_high(setup.layout.descriptor_table, value);
        break;
    case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
        set_low(setup.layout.driver_area, value);
        break;
    case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
        set_high(setup.layout.driver_area, value);
        break;
    case VIRTIO_MMIO_QUEUE_USED_LOW:
        set_low(setup.layout.device_area, value);
        break;
    case VIRTIO_MMIO_QUEUE_USED_HIGH:
        set_high(setup.layout.device_area, value);
        break;
    }
}

// 2.1 and 3.1: zero resets; else bits are only ever added, in their order.
void MmioTransport::write_status(uint32_t value) {
    if (value == 0)
        return reset();
    const uint32_t added = value & kStatusDriver & ~status_;
    if ((added & VIRTIO_CONFIG_S_FEATURES_OK) && !features_acceptable())
        return; // the driver reads the bit back and finds it missing
    if (added & VIRTIO_CONFIG_S_FEATURES_OK)
        on_device_thread_([this] { show_config(); });
    status_ |= added & ~static_cast<uint32_t>(VIRTIO_CONFIG_S_DRIVER_OK);
    const bool ready = (added & VIRTIO_CONFIG_S_DRIVER_OK) && (status_ & VIRTIO_CONFIG_S_FEATURES_OK);
    if (ready)
        status_ |= VIRTIO_CONFIG_S_DRIVER_OK;
    page_->add_bits(VIRTIO_MMIO_STATUS, status_);
    if (ready)
        on_device_thread_([this] { activate(); });
}

bool MmioTransport::features_acceptable() const {
    return (driver_features_ & ~device_.device_features()) == 0 &&
           (driver_features_ & virtio::kFeatureVersion1);
}

bool MmioTransport::queues_configurable() const {
    return (status_ & VIRTIO_CONFIG_S_FEATURES_OK) && !(status_ & VIRTIO_CONFIG_S_DRIVER_OK);
}

void MmioTransport::reset() {
    on_device_thread_([this] {
        if (active_)
            device_.deactivate();
        active_ = false;
        for (virtio::Virtqueue& queue : virtqueues_)
            (void)queue.stop();
        show_config();
    });
    std::fill(setups_.begin(), setups_.end(), QueueSetup{});
    status_ = device_features_select_ = driver_features_select_ = queue_select_ = 0;
    driver_features_ = 0;
    page_->set(VIRTIO_MMIO_INTERRUPT_STATUS, 0);
    page_->set(VIRTIO_MMIO_STATUS, 0); // the last: a driver may wait for it
}

// On the device's thread, with the vCPU's thread waiting: setups_ and driver_features_ stand still.
void MmioTransport::activate() {
    show_config(); // a device tells of no change before it is active
    if (!start_queues())
        return needs_reset();
    active_ = true;
    if (device_.served_elsewhere())
        return hand_over_queues();
    device_.activate({&memory_, virtqueues_, this, driver_features_});
}

// Whoever serves them raises interrupts without this process: each is of used buffers.
void MmioTransport::hand_over_queues() {
    std::vector<virtio::QueueWiring> wiring;
    for (size_t i = 0; i < queues_.size(); ++i)
        wiring.push_back({setups_[i].layout, queues_[i].notification.get(), interrupt_.get()});
    page_->add_bits(VIRTIO_MMIO_INTERRUPT_STATUS, VIRTIO_MMIO_INT_VRING);
    device_.activate({&memory_, virtqueues_, this, driver_features_, wiring});
}

bool MmioTransport::start_queues() {
    for (size_t i = 0; i < setups_.size(); ++i)
        if (setups_[i].ready && !virtqueues_[i].start(memory_, setups_[i].layout, driver_features_, {}))
            return false;
    return true;
}

void MmioTransport::needs_reset() {
    page_->add_bits(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_NEEDS_RESET);
    raise(VIRTIO_MMIO_INT_CONFIG);
}

// On the device's thread, for the driver to read.
void MmioTransport::show_config() {
    std::array<std::byte, RegisterPage::kConfigSize> bytes{};
    device_.read_config(0, bytes);
    page_->set_config(bytes);
}

// The reason must be in the register before the interrupt that makes the driver read it.
void MmioTransport::raise(uint32_t reason) {
    page_->add_bits(VIRTIO_MMIO_INTERRUPT_STATUS, reason);
    interrupt_.signal();
}

void MmioTransport::signal_queue(uint16_t) {
    raise(VIRTIO_MMIO_INT_VRING);
}

void MmioTransport::signal_config() {
    show_config();
    page_->set(VIRTIO_MMIO_CONFIG_GENERATION, page_->get(VIRTIO_MMIO_CONFIG_GENERATION) + 1);
    raise(VIRTIO_MMIO_INT_CONFIG);
}

void MmioTransport::signal_broken(uint16_t) {
    needs_reset();
}

} // namespace hrun::transport
