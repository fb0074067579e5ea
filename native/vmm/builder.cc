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

static_assert(boot::kVirtioMmioReadable == transport::RegisterPage::kStart);

// The others' interrupts are too rare to be worth the time that a memory slot and an ioeventfd take at creation.
bool interrupts_often(const virtio::Device& device) {
    return device.device_id() != virtio::kEntropy && device.device_id() != virtio::kBalloon;
}
} // namespace

Result<std::unique_ptr<Machine>> Builder::build(const Config& config, std::vector<SlotDevice> devices) {
    HRUN_TRY(check(config, devices));
    Result<kvm::Vm> vm = system_.create_vm();
    if (!vm)
        return vm.error();
    machine_.reset(new Machine(std::move(*vm)));
    step_done_("KVM_CREATE_VM");
    HRUN_TRY(create_memory(config));                 // before the interrupt controllers: see kvm/vm.h
    HRUN_TRY(create_transports(std::move(devices))); // with memory slots of their own
    step_done_("memory");
    Result<uint64_t> entry = load(config);
    if (!entry)
        return entry.error();
    step_done_("kernel and tables");
    HRUN_TRY(create_interrupt_controllers(config)); // before the vCPUs, which get their local APICs by it
    step_done_("interrupt controllers");
    HRUN_TRY(create_platform());
    HRUN_TRY(connect_devices());
    step_done_("devices");
    HRUN_TRY(create_vcpus(config, *entry));
    step_done_("vCPUs");
    return std::move(machine_);
}

Result<void> Builder::check(const Config& config, const std::vector<SlotDevice>& devices) const {
    if (config.vcpus == 0 || config.vcpus > boot::kMaxVcpus)
        return Error{EINVAL, "build a machine with " + std::to_string(config.vcpus) + " vCPUs (1 to " +
                                 std::to_string(boot::kMaxVcpus) + ")"};
    if (config.memory < kLeastMemory || config.memory > kMostMemory || config.memory % boot::kPageSize)
        return Error{EINVAL, "build a machine with " + std::to_string(config.memory) + " bytes of memory"};
    uint32_t used = 0;
    for (const SlotDevice& device : devices) {
        if (device.slot >= boot::kVirtioMmioSlots || (used & 1u << device.slot))
            return Error{EINVAL, "put a device into slot " + std::to_string(device.slot)};
        used |= 1u << device.slot;
    }
    return {};
}

Result<void> Builder::create_memory(const Config& config) {
    Result<MachineMemory> memory = create_machine_memory(machine_->vm_, config.memory);
    if (!memory)
        return memory.error();
    machine_->memory_ = std::move(*memory);
    HRUN_TRY(machine_->vm_.set_identity_map_address(boot::kIdentityMapPage));
    return machine_->vm_.set_tss_address(boot::kTssPages);
}

Result<void> Builder::create_transports(std::vector<SlotDevice> devices) {
    Result<std::unique_ptr<DeviceThread>> thread = DeviceThread::create(loop_);
    if (!thread)
        return thread.error();
    machine_->device_thread_ = std::move(*thread);
    machine_->devices_ = std::move(devices);
    for (const SlotDevice& device : machine_->devices_)
        HRUN_TRY(create_transport(device));
    return {};
}

Result<void> Builder::create_transport(const SlotDevice& device) {
    Machine& m = *machine_;
    auto on_device_thread = [thread = m.device_thread_.get()](const std::function<void()>& function) {
        thread->run(function);
    };
    auto transport =
        transport::MmioTransport::create(*device.device, m.memory_.guest, loop_, std::move(on_device_thread));
    if (!transport)
        return transport.error();
    if (interrupts_often(*device.device))
        HRUN_TRY(show_registers(device.slot, **transport));
    m.transports_.push_back(std::move(*transport));
    return {};
}

// The guest reads the page without leaving KVM. Whoever has no page gets the same from MmioTransport::read().
Result<void> Builder::show_registers(uint32_t slot, transport::MmioTransport& transport) {
    const auto memory_slot = static_cast<uint32_t>(machine_->memory_.ranges.size()) + slot;
    return machine_->vm_.set_memory_slot(
        memory_slot, boot::virtio_address(slot) + transport::RegisterPage::kStart, transport.page().data(),
        transport::RegisterPage::kSize, kvm::Vm::Slot::kReadOnly);
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
    HRUN_TRY(boot::write_command_line(memory, *kernel, full_command_line(config, machine_->devices_)));
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

// Nobody reads `acknowledged_`: it is there so that KVM drops what is written there.
Result<void> Builder::connect_devices() {
    Machine& m = *machine_;
    Result<EventFd> acknowledged = EventFd::create();
    if (!acknowledged)
        return acknowledged.error();
    m.acknowledged_ = std::move(*acknowledged);
    for (size_t i = 0; i < m.devices_.size(); ++i) {
        transport::MmioTransport& transport = *m.transports_[i];
        const uint64_t address = boot::virtio_address(m.devices_[i].slot);
        HRUN_TRY(connect_notifications(address + transport::kQueueNotifyOffset, transport));
        if (interrupts_often(*m.devices_[i].device))
            HRUN_TRY(m.vm_.add_ioeventfd(address + transport::kInterruptAckOffset, transport::kUsedBufferAck,
                                         m.acknowledged_.get()));
        HRUN_TRY(m.vm_.add_irqfd(boot::virtio_line(m.devices_[i].slot), transport.interrupt().get()));
        m.buses_.mmio.attach(address, boot::kVirtioMmioSize, transport);
    }
    return {};
}

// Of a device with one queue the value says nothing.
Result<void> Builder::connect_notifications(uint64_t address, const transport::MmioTransport& transport) {
    if (transport.queue_count() == 1)
        return machine_->vm_.add_ioeventfd(address, transport.notification(0).get());
    for (uint16_t queue = 0; queue < transport.queue_count(); ++queue)
        HRUN_TRY(machine_->vm_.add_ioeventfd(address, queue, transport.notification(queue).get()));
    return {};
}

Result<void> Builder::create_vcpus(const Config& config, uint64_t entry) {
    Machine& m = *machine_;
    m.aid_ = std::move(aid_);
    for (uint32_t id = 0; id < config.vcpus; ++id) {
        Result<kvm::Vcpu> vcpu = m.vm_.create_vcpu(id);
        if (!vcpu)
            return vcpu.error();
        HRUN_TRY(set_boot_state(*vcpu, id, config.vcpus, entry));
        m.vcpus_.push_back(std::make_unique<VcpuThread>(std::move(*vcpu), id, m.buses_, *m.control_,
                                                        m.aid_.get(), vcpu_entered_));
    }
    return {};
}

// The other processors wait for INIT and SIPI, which set their state.
Result<void> Builder::set_boot_state(kvm::Vcpu& vcpu, uint32_t id, uint32_t vcpus, uint64_t entry) const {
    HRUN_TRY(vcpu.set_cpuid(cpuid_of_vcpu(cpuid_, id, vcpus)));
    HRUN_TRY(vcpu.set_msrs(boot::boot_msrs()));
    if (id != 0)
        return {};
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

std::string full_command_line(const Config& config, const std::vector<SlotDevice>& devices) {
    std::string line = config.command_line;
    for (const SlotDevice& device : devices) {
        char parameter[64];
        snprintf(parameter, sizeof parameter, " virtio_mmio.device=4K@0x%llx:%u:%u",
                 static_cast<unsigned long long>(boot::virtio_address(device.slot)),
                 boot::virtio_line(device.slot), device.slot);
        line += parameter;
    }
    return line;
}

} // namespace hrun::vmm
