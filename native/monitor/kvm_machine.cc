// SPDX-License-Identifier: Apache-2.0
#include "monitor/kvm_machine.h"

#include <numeric>

#include "boot/x86_64/layout.h"
#include "devices/virtio/balloon.h"
#include "devices/virtio/blk.h"
#include "devices/virtio/net.h"
#include "devices/virtio/net_stream.h"
#include "devices/virtio/net_tap.h"
#include "devices/virtio/rng.h"
#include "monitor/disk_file.h"
#include "monitor/kvm_host.h"
#include "monitor/share_device.h"
#include "protocol.h"

namespace hrun::monitor {

namespace {

std::vector<uint32_t> slots_without(const std::vector<vmm::SlotDevice>& devices) {
    std::vector<uint32_t> slots(boot::kVirtioMmioSlots);
    std::iota(slots.begin(), slots.end(), 0);
    for (const vmm::SlotDevice& device : devices)
        std::erase(slots, device.slot);
    return slots;
}

Result<std::vector<std::unique_ptr<virtio::NetBackend>>> make_backends(std::vector<Fd> fds, bool stream) {
    std::vector<std::unique_ptr<virtio::NetBackend>> backends;
    for (Fd& fd : fds) {
        if (stream) {
            backends.push_back(std::make_unique<virtio::NetStream>(std::move(fd)));
            continue;
        }
        auto tap = virtio::NetTap::create(std::move(fd));
        if (!tap)
            return tap.error();
        backends.push_back(std::move(*tap));
    }
    return backends;
}

} // namespace

KvmMachine::KvmMachine(EventLoop& loop, Container& container, MachineEvents& events)
    : loop_(loop), container_(container), config_(container.config), events_(events),
      hybrid_(loop, kContainerDirectory, "vsock.sock") {}

KvmMachine::~KvmMachine() {
    if (machine_ && share_)
        share_->disconnect();
}

Result<void> KvmMachine::start() {
    HRUN_TRY(container_.jail->enter());
    auto serial = SerialConsole::open(loop_, {[this] {
                                                  events_.machine_failed(HRUN_ERROR_VM,
                                                                         "the guest's kernel panicked: " +
                                                                             serial_->console().panic());
                                              },
                                              {}});
    if (!serial)
        return serial.error();
    serial_ = std::move(*serial);
    auto machine = build();
    if (!machine)
        return with_kvm_advice(machine.error());
    auto ended = loop_.watch((*machine)->ended().get(), EPOLLIN, [this](uint32_t) {
        ended_.reset();
        last_turn_ =
            loop_.after({}, [this] { collect(); }); // what the guest sent before its end is due first
    });
    if (!ended)
        return ended.error();
    HRUN_TRY(hybrid_.listen(*vsock_));
    if (share_)
        HRUN_TRY(connect_share_device(*share_, (*machine)->memory()));
    container_.keeper->await(); // kPlace
    HRUN_TRY((*machine)->start_threads());
    ended_ = std::move(*ended);
    machine_ = std::move(*machine);
    return {};
}

Result<void> KvmMachine::run() {
    return machine_->start();
}

Result<std::unique_ptr<vmm::Machine>> KvmMachine::build() {
    auto host = KvmHost::open(container_.files);
    if (!host)
        return host.error();
    lock_worker_ = container_.jail->thread_lock(jail::ThreadKind::kDiskWorker);
    auto devices = create_devices();
    if (!devices)
        return devices.error();
    vmm::Builder builder(host->system, host->cpuid, loop_);
    builder.on_console([serial = serial_.get()](char byte) { serial->put(byte); });
    builder.on_step([this, placed = false](const char*) mutable {
        if (!std::exchange(
                placed,
                true)) // the first step: KVM has made the VM, see jail/cgroup.h; the others go on meanwhile
            container_.keeper->tell(KeeperRequest::kPlace);
    });
    builder.on_vcpu_entered(container_.jail->thread_lock(jail::ThreadKind::kVcpu));
    if (container_.origin)
        return copy(builder, std::move(*devices));
    // Networks may come while it runs: whatever slot has nothing yet is named to the kernel.
    auto boot = kvm_boot_config(container_, slots_without(*devices));
    if (!boot)
        return boot.error();
    return builder.build(*boot, std::move(*devices));
}

// The template has no device, and what it is made of must be what the container is to have.
Result<std::unique_ptr<vmm::Machine>> KvmMachine::copy(vmm::Builder& builder,
                                                       std::vector<vmm::SlotDevice> devices) {
    origin_is_good_ = false;
    auto snapshot = vmm::SnapshotFile::open({"the template", container_.origin->state.get()});
    if (!snapshot)
        return snapshot.error();
    if (snapshot->memory_bytes() != config_.memory_mib << 20)
        return snapshot->unusable(EINVAL, "has another size");
    auto machine = builder.restore(*snapshot, std::move(devices));
    if (machine && (*machine)->vcpu_count() != config_.vcpus)
        return snapshot->unusable(EINVAL, "has another number of vCPUs");
    origin_is_good_ = static_cast<bool>(machine);
    return machine;
}

Result<std::vector<vmm::SlotDevice>> KvmMachine::create_devices() {
    std::vector<vmm::SlotDevice> devices;
    auto vsock = std::make_unique<virtio::VsockDevice>(
        loop_, config_.vsock_cid, [this](uint32_t port) { return hybrid_.accept_from_guest(port); });
    vsock_ = vsock.get();
    devices.push_back({config_.vsock_slot, std::move(vsock)});
    devices.push_back({config_.rng_slot, std::make_unique<virtio::RngDevice>(loop_)});
    devices.push_back({config_.balloon_slot,
                       std::make_unique<virtio::BalloonDevice>(loop_, [](const virtio::BalloonStats&) {})});
    for (size_t i = 0; i < config_.disks.size(); ++i) {
        auto device = create_disk(config_.disks[i], container_.files.disks[i]);
        if (!device)
            return device.error();
        devices.push_back(std::move(*device));
    }
    if (container_.shared) {
        auto device = create_share();
        if (!device)
            return device.error();
        devices.push_back(std::move(*device));
    }
    for (Nic& nic : container_.nics) {
        if (!nic.backend)
            return nic.backend.error();
        auto device = create_nic({nic.config.slot, nic.config.mac, nic.config.mtu}, std::move(*nic.backend),
                                 nic.config.passt.has_value());
        if (!device)
            return device.error();
        devices.push_back(std::move(*device));
    }
    return devices;
}

Result<vmm::SlotDevice> KvmMachine::create_share() {
    if (container_.shared->failed)
        return *container_.shared->failed;
    auto device = make_share_device(loop_, std::move(container_.shared->machine), [this](std::string why) {
        events_.machine_failed(HRUN_ERROR_HOST, std::move(why));
    });
    share_ = device.get();
    return vmm::SlotDevice{config_.share->slot, std::move(device)};
}

Result<vmm::SlotDevice> KvmMachine::create_nic(const PluggedNic& nic, std::vector<Fd> fds, bool stream) {
    auto backends = make_backends(std::move(fds), stream);
    if (!backends)
        return backends.error();
    auto device = virtio::NetDevice::create(loop_, std::move(*backends), {nic.mac, nic.mtu});
    if (!device)
        return device.error();
    return vmm::SlotDevice{nic.slot, std::move(*device)};
}

Result<vmm::SlotDevice> KvmMachine::create_disk(const DiskConfig& disk, Result<Fd>& file) {
    if (!file)
        return file.error();
    auto backend = virtio::BlkBackend::create(std::move(*file), disk.read_only);
    if (!backend)
        return Error{backend.error().code, backend.error().what + " " + disk.path};
    auto device = virtio::BlkDevice::create(loop_, std::move(*backend), "disk" + std::to_string(disk.slot));
    if (!device)
        return device.error();
    (*device)->on_write_error([this, &disk](const Error& error) {
        events_.machine_failed(HRUN_ERROR_HOST, disk_failure(disk.path, error.code == ENOSPC));
    });
    (*device)->on_worker_start(lock_worker_);
    return vmm::SlotDevice{disk.slot, std::move(*device)};
}

void KvmMachine::plug_nic(const PluggedNic& nic, std::vector<Fd> taps, Done done) {
    auto device = create_nic(nic, std::move(taps));
    done(device ? machine_->plug(std::move(*device)) : Result<void>(device.error()));
}

void KvmMachine::unplug_nic(unsigned slot, Done done) {
    done(machine_->unplug(slot));
}

void KvmMachine::plug_disk(unsigned, bool, Fd, Done done) {
    done(Error{ENOTSUP, "a machine of the kvm engine cannot be shared; use --engine qemu"});
}

void KvmMachine::unplug_disk(unsigned, Done done) {
    done({});
}

void KvmMachine::kill() {
    if (machine_)
        machine_->stop();
}

// When machine_gone() is told, nothing of it is left: no request of a disk is under way, and its memory is free.
void KvmMachine::collect() {
    end_ = machine_->how_it_ended();
    hybrid_.close();
    if (share_)
        share_->disconnect(); // what the daemon still does for the guest matters to nobody
    machine_.reset();
    serial_->read();
    if (end_.reason == vmm::End::Reason::kTripleFault || end_.reason == vmm::End::Reason::kError)
        dprintf(STDERR_FILENO, "%s", end_.message.c_str()); // with all registers, for monitor.log
    events_.machine_gone();
}

std::string KvmMachine::why_gone() const {
    if (!serial_->console().panic().empty())
        return "the guest's kernel panicked: " + serial_->console().panic();
    if (end_.reason == vmm::End::Reason::kReset)
        return "the guest stopped the machine (guest-reset); last console line: " +
               serial_->console().last_line();
    return end_.message.substr(0, end_.message.find('\n'));
}

} // namespace hrun::monitor
