// SPDX-License-Identifier: Apache-2.0
#include "kvm/vm.h"

#include <sys/ioctl.h>

namespace hrun::kvm {

namespace {

constexpr uint64_t kPageSize = 4096;

Result<void> done(int rc, const char* what) {
    if (rc < 0)
        return Error::last(what);
    return {};
}

} // namespace

Result<void> Vm::set_tss_address(uint32_t address) {
    return done(ioctl(fd_.get(), KVM_SET_TSS_ADDR, static_cast<unsigned long>(address)), "KVM_SET_TSS_ADDR");
}

Result<void> Vm::set_identity_map_address(uint64_t address) {
    return done(ioctl(fd_.get(), KVM_SET_IDENTITY_MAP_ADDR, &address), "KVM_SET_IDENTITY_MAP_ADDR");
}

Result<void> Vm::set_memory_slot(uint32_t slot, uint64_t address, std::byte* host, uint64_t size,
                                 Slot flags) {
    kvm_userspace_memory_region region{};
    region.slot = slot;
    region.flags = static_cast<uint32_t>(flags);
    region.guest_phys_addr = address;
    region.memory_size = size;
    region.userspace_addr = reinterpret_cast<uint64_t>(host);
    return done(ioctl(fd_.get(), KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
}

Result<void> Vm::remove_memory_slot(uint32_t slot) {
    return set_memory_slot(slot, 0, nullptr, 0, Slot::kPlain); // of no size
}

Result<void> Vm::create_irqchip() {
    return done(ioctl(fd_.get(), KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
}

Result<void> Vm::create_pit() {
    kvm_pit_config config{};
    config.flags = KVM_PIT_SPEAKER_DUMMY; // port 0x61 too: Linux reads PIT channel 2's output there
    return done(ioctl(fd_.get(), KVM_CREATE_PIT2, &config), "KVM_CREATE_PIT2");
}

Result<void> Vm::set_apic_tick(uint64_t nanoseconds) {
    constexpr uint32_t kCapApicBusCyclesNs =
        237; // KVM_CAP_X86_APIC_BUS_CYCLES_NS, newer than this build's headers
    kvm_enable_cap enable{};
    enable.cap = kCapApicBusCyclesNs;
    enable.args[0] = nanoseconds;
    return done(ioctl(fd_.get(), KVM_ENABLE_CAP, &enable), "KVM_CAP_X86_APIC_BUS_CYCLES_NS");
}

Result<void> Vm::change_ioeventfd(Write write, int event, uint32_t flags) {
    kvm_ioeventfd config{};
    config.addr = write.address;
    config.fd = event;
    config.flags = flags;
    if (write.value) {
        config.datamatch = *write.value;
        config.len = sizeof *write.value;
        config.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
    }
    return done(ioctl(fd_.get(), KVM_IOEVENTFD, &config), "KVM_IOEVENTFD");
}

Result<void> Vm::add_ioeventfd(Write write, int event) {
    return change_ioeventfd(write, event, 0);
}

Result<void> Vm::remove_ioeventfd(Write write, int event) {
    return change_ioeventfd(write, event, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

Result<void> Vm::change_irqfd(uint32_t gsi, int event, uint32_t flags) {
    kvm_irqfd config{};
    config.fd = static_cast<uint32_t>(event);
    config.gsi = gsi;
    config.flags = flags;
    return done(ioctl(fd_.get(), KVM_IRQFD, &config), "KVM_IRQFD");
}

Result<void> Vm::add_irqfd(uint32_t gsi, int event) {
    return change_irqfd(gsi, event, 0);
}

Result<void> Vm::remove_irqfd(uint32_t gsi, int event) {
    return change_irqfd(gsi, event, KVM_IRQFD_FLAG_DEASSIGN);
}

Result<std::vector<uint64_t>> Vm::take_dirty_log(uint32_t slot, uint64_t size) const {
    std::vector<uint64_t> bitmap((size / kPageSize + 63) / 64);
    kvm_dirty_log log{};
    log.slot = slot;
    log.dirty_bitmap = bitmap.data();
    if (ioctl(fd_.get(), KVM_GET_DIRTY_LOG, &log) < 0)
        return Error::last("KVM_GET_DIRTY_LOG");
    return bitmap;
}

Result<kvm_clock_data> Vm::clock() const {
    kvm_clock_data data{};
    if (ioctl(fd_.get(), KVM_GET_CLOCK, &data) < 0)
        return Error::last("KVM_GET_CLOCK");
    return data;
}

Result<void> Vm::set_clock(const kvm_clock_data& clock) {
    kvm_clock_data data{};
    data.clock = clock.clock; // without KVM_CLOCK_REALTIME: the guest sees no time pass while it is paused
    return done(ioctl(fd_.get(), KVM_SET_CLOCK, &data), "KVM_SET_CLOCK");
}

Result<Vcpu> Vm::create_vcpu(uint32_t id) const {
    Fd fd(ioctl(fd_.get(), KVM_CREATE_VCPU, static_cast<unsigned long>(id)));
    if (!fd.valid())
        return Error::last("KVM_CREATE_VCPU");
    return Vcpu::map(std::move(fd), run_size_);
}

} // namespace hrun::kvm
