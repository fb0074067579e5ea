// SPDX-License-Identifier: Apache-2.0
#include "vmm/builder.h"

#include <cstdio>

#include "boot/x86_64/cpu_state.h"
#include "boot/x86_64/initrd.h"
#include "boot/x86_64/kernel.h"
#include "boot/x86_64/layout.h"
#include "boot/x86_64/mp_table.h"
#include "boot/x86_64/page_tables.h"
#include "boot/x86_64/zero_page.h"

namespace hrun::vmm {

namespace {
constexpr uint64_t kLeastMemory = 2 << 20;
constexpr uint64_t kMostMemory = 1ull << 40;
} // namespace

Result<std::unique_ptr<Machine>> Builder::build(const Config& config, std::vector<SlotDevice> devices) {
    HRUN_TRY(check(config, devices));
    HRUN_TRY(create_vm());
    step_done_("KVM_CREATE_VM");
    // Before the interrupt controllers: see kvm/vm.h
    HRUN_TRY(use_memory(create_machine_memory(machine_->vm_, config.memory)));
    HRUN_TRY(create_transports(config, std::move(devices))); // with memory slots of their own
    step_done_("memory");
    Result<uint64_t> entry = load(config);
    if (!entry)
        return entry.error();
    step_done_("kernel and tables");
    HRUN_TRY(create_interrupt_controllers(config)); // before the vCPUs, which get their local APICs by it
    step_done_("interrupt controllers");
    HRUN_TRY(create_platform());
    HRUN_TRY(machine_->slots_->connect());
    step_done_("devices");
    HRUN_TRY(create_vcpus(config));
    HRUN_TRY(set_boot_state(*entry));
    HRUN_TRY(note_shape(config));
    step_done_("vCPUs");
    return std::move(machine_);
}

Result<void> Builder::check(const Config& config, const std::vector<SlotDevice>& devices) const {
    if (config.vcpus == 0 || config.vcpus > boot::kMaxVcpus)
        return Error{EINVAL, "build a machine with " + std::to_string(config.vcpus) + " vCPUs (1 to " +
                                 std::to_string(boot::kMaxVcpus) + ")"};
    if (config.memory < kLeastMemory || config.memory > kMostMemory || config.memory % boot::kPageSize)
        return Error{EINVAL, "build a machine with " + std::to_string(config.memory) + " bytes of memory"};
    std::vector<uint32_t> slots = config.spare_slots;
    for (const SlotDevice& device : devices)
        slots.push_back(device.slot);
    uint32_t used = 0;
    for (const uint32_t slot : slots) {
        if (slot >= boot::kVirtioMmioSlots || (used & 1u << slot))
            return Error{EINVAL, "put a device into slot " + std::to_string(slot)};
        used |= 1u << slot;
    }
    return {};
}

Result<void> Builder::create_vm() {
    Result<kvm::Vm> vm = system_.create_vm();
    if (!vm)
        return vm.error();
    machine_.reset(new Machine(std::move(*vm)));
    return {};
}

Result<void> Builder::use_memory(Result<MachineMemory> memory) {
    if (!memory)
        return memory.error();
    machine_->memory_ = std::move(*memory);
    HRUN_TRY(machine_->vm_.set_identity_map_address(boot::kIdentityMapPage));
    return machine_->vm_.set_tss_address(boot::kTssPages);
}

Result<void> Builder::create_transports(const Config& config, std::vector<SlotDevice> devices) {
    Result<std::unique_ptr<DeviceThread>> thread = DeviceThread::create(loop_);
    if (!thread)
        return thread.error();
    Machine& m = *machine_;
    m.device_thread_ = std::move(*thread);
    m.slots_ = std::make_unique<DeviceSlots>(m.vm_, m.memory_, *m.device_thread_, loop_, m.buses_.mmio);
    for (const uint32_t slot : config.spare_slots)
        m.slots_->reserve(slot);
    for (SlotDevice& device : devices)
        HRUN_TRY(m.slots_->add(std::move(device)));
    return {};
}

// Fills the guest's memory; returns where the first vCPU starts.
Result<uint64_t> Builder::load(const Config& config) {
    const GuestMemory& memory = machine_->memory_.guest;
    const std::vector<boot::Range>& ram = machine_->memory_.ranges;
    Result<boot::LoadedKernel> kernel = boot::load_kernel(memory, config.kernel);
    if (!kernel)
        return kernel.error();
    boot::Range initrd{};
    if (!config.initrd.empty()) {
        Result<boot::Range> loaded = boot::load_initrd(memory, ram.front(), *kernel, config.initrd);
        if (!loaded)
            return loaded.error();
        initrd = *loaded;
    }
    HRUN_TRY(
        boot::write_command_line(memory, *kernel, full_command_line(config, machine_->slots_->numbers())));
    HRUN_TRY(boot::write_zero_page(memory, *kernel, initrd, boot::e820_map(ram)));
    HRUN_TRY(boot::write_gdt(memory));
    HRUN_TRY(boot::write_page_tables(memory));
    const auto io_apic = boot::IoApic{boot::kIoApic, boot::kIoApicPins};
    const std::vector<std::byte> mp = boot::mp_table({config.vcpus, {io_apic}, 0});
    if (!memory.write(boot::kMpTableAddress, mp.data(), mp.size()))
        return Error{ENOMEM, "write the MP table"};
    return kernel->entry;
}

Result<void> Builder::create_interrupt_controllers(const Config& config) {
    HRUN_TRY(machine_->vm_.create_irqchip());
    if (config.pit)
        HRUN_TRY(machine_->vm_.create_pit());
    if (config.apic_tick_ns != 0)
        HRUN_TRY(machine_->vm_.set_apic_tick(config.apic_tick_ns));
    return {};
}

Result<void> Builder::create_platform() {
    Machine& m = *machine_;
    Result<EventFd> ended = EventFd::create();
    if (!ended)
        return ended.error();
    m.ended_ = std::make_unique<EventFd>(std::move(*ended));
    m.control_ =
        std::make_unique<RunControl>([thread = m.device_thread_.get()] { thread->wake(); }, *m.ended_);

    Result<EventFd> interrupt = EventFd::create();
    if (!interrupt)
        return interrupt.error();
    m.serial_interrupt_ = std::move(*interrupt);
    HRUN_TRY(m.vm_.add_irqfd(boot::kSerialLine, m.serial_interrupt_.get()));
    m.serial_ = std::make_unique<platform::Serial>(std::move(console_), m.serial_interrupt_);
    m.buses_.ports.attach(platform::Serial::kPort, platform::Serial::kPorts, *m.serial_);
    m.i8042_ = std::make_unique<platform::I8042>([control = m.control_.get()] {
        control->end({End::Reason::kReset, "the guest powered off"});
    });
    m.buses_.ports.attach(platform::I8042::kPort, platform::I8042::kPorts, *m.i8042_);
    return {};
}

Result<void> Builder::create_vcpus(const Config& config) {
    Machine& m = *machine_;
    m.aid_ = std::move(aid_);
    for (uint32_t id = 0; id < config.vcpus; ++id) {
        Result<kvm::Vcpu> vcpu = m.vm_.create_vcpu(id);
        if (!vcpu)
            return vcpu.error();
        HRUN_TRY(vcpu->set_cpuid(cpuid_of_vcpu(cpuid_, id, config.vcpus)));
        m.vcpus_.push_back(std::make_unique<VcpuThread>(std::move(*vcpu), id, m.buses_, *m.control_,
                                                        m.aid_.get(), vcpu_entered_));
    }
    return {};
}

// The other processors wait for INIT and SIPI, which set their state.
Result<void> Builder::set_boot_state(uint64_t entry) {
    for (const auto& vcpu : machine_->vcpus_)
        HRUN_TRY(vcpu->vcpu().set_msrs(boot::boot_msrs()));
    return set_boot_registers(machine_->vcpus_.front()->vcpu(), entry);
}

Result<void> Builder::set_boot_registers(kvm::Vcpu& vcpu, uint64_t entry) const {
    Result<kvm_sregs> special = vcpu.special_registers();
    if (!special)
        return special.error();
    HRUN_TRY(vcpu.set_special_registers(boot::boot_special_registers(*special)));
    HRUN_TRY(vcpu.set_registers(boot::boot_registers(entry)));
    HRUN_TRY(vcpu.set_fpu(boot::boot_fpu()));
    Result<kvm_lapic_state> apic = vcpu.local_apic();
    if (!apic)
        return apic.error();
    return vcpu.set_local_apic(boot::boot_local_apic(*apic));
}

// What a snapshot of the machine will be bound to.
Result<void> Builder::note_shape(const Config& config) {
    Result<uint32_t> khz = machine_->vcpus_.front()->vcpu().tsc_khz();
    if (!khz)
        return khz.error();
    machine_->shape_ = {.vcpus = config.vcpus,
                        .memory = config.memory,
                        .pit = config.pit,
                        .apic_tick_ns = config.apic_tick_ns,
                        .tsc_khz = *khz,
                        .devices = {},
                        .cpuid = cpuid_of_vcpu(cpuid_, 0, config.vcpus)};
    return {};
}

std::string full_command_line(const Config& config, const std::vector<uint32_t>& slots) {
    std::string line = config.command_line;
    for (const uint32_t slot : slots) {
        char parameter[64];
        snprintf(parameter, sizeof parameter, " virtio_mmio.device=4K@0x%llx:%u:%u",
                 static_cast<unsigned long long>(boot::virtio_address(slot)), boot::virtio_line(slot), slot);
        line += parameter;
    }
    if (!config.init_arguments.empty())
        line += " -- " + config.init_arguments;
    return line;
}

} // namespace hrun::vmm
