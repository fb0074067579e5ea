// SPDX-License-Identifier: Apache-2.0
#include "monitor/kvm_host.h"

namespace hrun::monitor {

namespace {

// The time comes from kvmclock and interrupts from the MP table, so there is no PIT to ask or to check. KVM's local APIC
// timers tick once a nanosecond; a processor with TSC deadlines does not need to know. Powering off: vmm/builder.cc.
constexpr char kCommandLine[] =
    "console=ttyS0 loglevel=4 reboot=k panic=-1 no_timer_check lapic_timer_khz=1000000 fb_tunnels=none "
    "ifb.numifbs=0 dummy.numdummies=0";

} // namespace

Result<KvmHost> KvmHost::open(MachineFiles& files) {
    if (!files.kvm)
        return files.kvm.error();
    auto system = kvm::System::adopt(std::move(*files.kvm));
    if (!system)
        return system.error();
    auto supported = system->supported_cpuid();
    if (!supported)
        return supported.error();
    return KvmHost{std::move(*system), vmm::apply_cpuid_template(*supported)};
}

Result<vmm::Config> kvm_boot_config(Container& container, std::vector<uint32_t> spare_slots,
                                    std::string init_arguments) {
    const Config& config = container.config;
    MachineFiles& files = container.files;
    for (const auto* file : {&files.kernel, &files.initrd})
        if (!*file)
            return file->error();
    return vmm::Config{.kernel = {config.kernel, files.kernel->get()},
                       .initrd = {config.initrd, files.initrd->get()},
                       .command_line = kCommandLine,
                       .init_arguments = std::move(init_arguments),
                       .vcpus = config.vcpus,
                       .memory = config.memory_mib << 20,
                       .pit = false,
                       .spare_slots = std::move(spare_slots)};
}

Error with_kvm_advice(Error error) {
    if (error.what == "open /dev/kvm" && error.code == EACCES)
        error.what += " (is the user in the group kvm?)";
    else if (error.what == "open /dev/kvm")
        error.what += " (is KVM loaded, and given to the container that this runs in?)";
    else if (error.what == "KVM_CREATE_VM" && error.code == EBUSY)
        error.what += " (another hypervisor, such as VirtualBox, has the processor)";
    return error;
}

} // namespace hrun::monitor
