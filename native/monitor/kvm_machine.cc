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
#include "monitor/share_device.h"
#include "protocol.h"
#include "vmm/cpuid_template.h"

namespace hrun::monitor {

namespace {

// The time comes from kvmclock and interrupts from the MP table, so there is no PIT to ask or to check. KVM's local APIC
// timers tick once a nanosecond; a processor with TSC deadlines does not need to know. Powering off: vmm/builder.cc.
constexpr char kCommandLine[] =
    "console=ttyS0 loglevel=4 reboot=k panic=-1 no_timer_check lapic_timer_khz=1000000 fb_tunnels=none "
    "ifb.numifbs=0 dummy.numdummies=0";

std::vector<uint32_t> slots_without(const std::vector<vmm::SlotDevice>& devices) {
    std::vector<uint32_t> slots(boot::kVirtioMmioSlots);
    std::iota(slots.begin(), slots.end(), 0);
    for (const vmm::SlotDevice& device : devices)
        std::erase(slots, device.slot);
    return slots;
}

// What to do about it, where it is known.
Error with_advice(Error error) {
    if (error.what == "open /dev/kvm" && error.code == EACCES)
        error.what += " (is the user in the group kvm?)";
    else if (error.what == "open /dev/kvm")
        error.what += " (is KVM loaded, and given to the container that this runs in?)";
    else if (error.what == "KVM_CREATE_VM" && error.code == EBUSY)
        error.what += " (another hypervisor, such as VirtualBox, has the processor)";
    return error;
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
    HRUN_TRY(open_console());
    auto machine = build();
    if (!machine)
        return with_advice(machine.error());
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

Result<void> KvmMachine::open_console() {
    auto console = Console::open(kContainerDirectory, [this] {
        events_.machine_failed(HRUN_ERROR_VM, "the guest's kernel panicked: " + console_->panic());
    });
    if (!console)
        return console.error();
    console_ = std::move(*console);
    auto filled = EventFd::create();
    if (!filled)
        return filled.error();
    serial_ = std::make_unique<vmm::ConsoleBuffer>(std::move(*filled));
    auto watch = loop_.watch(serial_->filled().get(), EPOLLIN, [this](uint32_t) { read_console(); });
    if (!watch)
        return watch.error();
    console_watch_ = std::move(*watch);
    return {};
}

void KvmMachine::read_console() {
    console_->append(serial_->take());
}

Result<std::unique_ptr<vmm::Machine>> KvmMachine::build() {
    if (!container_.files.kvm)
        return container_.files.kvm.error();
    auto system = kvm::System::adopt(std::move(*container_.files.kvm));
    if (!system)
        return system.error();
    auto supported = system->supported_cpuid();
    if (!supported)
        return supported.error();
    lock_worker_ = container_.jail->thread_lock(jail::ThreadKind::kDiskWorker);
    auto devices = create_devices();
    if (!devices)
        return devices.error();
    auto machine_config = config(*devices);
    if (!machine_config)
        return machine_config.error();
    const vmm::CpuidTable cpuid = vmm::apply_cpuid_template(*supported);
    vmm::Builder builder(*system, cpuid, loop_);
    builder.on_console([this](char byte) { serial_->put(byte); });
    builder.on_step([this, placed = false](const char*) mutable {
        if (!std::exchange(
                placed,
                true)) // the first step: KVM has made the VM, see jail/cgroup.h; the others go on meanwhile
            container_.keeper->tell(KeeperRequest::kPlace);
    });
    builder.on_vcpu_entered(container_.jail->thread_lock(jail::ThreadKind::kVcpu));
    return builder.build(*machine_config, std::move(*devices));
}

// Networks may come while it runs: whatever slot has nothing yet is named to the kernel.
Result<vmm::Config> KvmMachine::config(const std::vector<vmm::SlotDevice>& devices) const {
    MachineFiles& files = container_.files;
    for (const auto* file : {&files.kernel, &files.initrd})
        if (!*file)
            return file->error();
    return vmm::Config{.kernel = {config_.kernel, files.kernel->get()},
                       .initrd = {config_.initrd, files.initrd->get()},
                       .command_line = kCommandLine,
                       .vcpus = config_.vcpus,
                       .memory = config_.memory_mib << 20,
                       .pit = false,
                       .spare_slots = slots_without(devices)};
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

namespace {

Result<std::unique_ptr<virtio::NetBackend>> make_backend(Fd fd, bool stream) {
    if (stream)
        return std::unique_ptr<virtio::NetBackend>(std::make_unique<virtio::NetStream>(std::move(fd)));
    auto tap = virtio::NetTap::create(std::move(fd));
    if (!tap)
        return tap.error();
    return std::unique_ptr<virtio::NetBackend>(std::move(*tap));
}

} // namespace

Result<vmm::SlotDevice> KvmMachine::create_nic(const PluggedNic& nic, Fd fd, bool stream) {
    auto backend = make_backend(std::move(fd), stream);
    if (!backend)
        return backend.error();
    auto device = virtio::NetDevice::create(loop_, std::move(*backend), {nic.mac, nic.mtu});
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

void KvmMachine::plug_nic(const PluggedNic& nic, Fd tap, Done done) {
    auto device = create_nic(nic, std::move(tap));
    done(device ? machine_->plug(std::move(*device)) : Result<void>(device.error()));
}

void KvmMachine::unplug_nic(unsigned slot, Done done) {
    done(machine_->unplug(slot));
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
    read_console();
    if (end_.reason == vmm::End::Reason::kTripleFault || end_.reason == vmm::End::Reason::kError)
        dprintf(STDERR_FILENO, "%s", end_.message.c_str()); // with all registers, for monitor.log
    events_.machine_gone();
}

std::string KvmMachine::why_gone() const {
    if (!console_->panic().empty())
        return "the guest's kernel panicked: " + console_->panic();
    if (end_.reason == vmm::End::Reason::kReset)
        return "the guest stopped the machine (guest-reset); last console line: " + console_->last_line();
    return end_.message.substr(0, end_.message.find('\n'));
}

} // namespace hrun::monitor
