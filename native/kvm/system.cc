// SPDX-License-Identifier: Apache-2.0
#include "kvm/system.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "kvm/array_buffer.h"

namespace hrun::kvm {

namespace {

constexpr uint32_t kMaxCpuidEntries = 256; // KVM_MAX_CPUID_ENTRIES
constexpr uint32_t kMaxMsrs = 1024;        // more than any KVM has

// Intel SDM volume 4, 2.1. KVM emulates them, but does not list them all.
constexpr uint32_t kMtrrs[] = {0x2ff, 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d,
                               0x26e, 0x26f, 0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,
                               0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f};

// struct kvm_msr_list: the count, then the indices.
Result<std::vector<uint32_t>> msr_list(const Fd& device, unsigned long request, const char* name) {
    std::vector<uint32_t> list(1 + kMaxMsrs);
    list[0] = kMaxMsrs;
    if (ioctl(device.get(), request, list.data()) < 0)
        return Error::last(name);
    return std::vector<uint32_t>(list.begin() + 1, list.begin() + 1 + std::min(list[0], kMaxMsrs));
}

bool contains(const std::vector<uint32_t>& list, uint32_t value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

} // namespace

Result<System> System::open() {
    Fd fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
    if (!fd.valid())
        return Error::last("open /dev/kvm");
    return adopt(std::move(fd));
}

Result<System> System::adopt(Fd fd) {
    const int version = ioctl(fd.get(), KVM_GET_API_VERSION, 0);
    if (version < 0)
        return Error::last("KVM_GET_API_VERSION");
    if (version != KVM_API_VERSION)
        return Error{ENOTSUP, "use KVM API version " + std::to_string(version)};
    const int run_size = ioctl(fd.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
    if (run_size < 0)
        return Error::last("KVM_GET_VCPU_MMAP_SIZE");
    return System(std::move(fd), static_cast<size_t>(run_size));
}

int System::extension(int capability) const {
    const int value = ioctl(fd_.get(), KVM_CHECK_EXTENSION, capability);
    return value < 0 ? 0 : value;
}

Result<std::vector<kvm_cpuid_entry2>> System::supported_cpuid() const {
    ArrayBuffer<kvm_cpuid_entry2> buffer(kMaxCpuidEntries);
    if (ioctl(fd_.get(), kGetSupportedCpuid, buffer.data()) < 0)
        return Error::last("KVM_GET_SUPPORTED_CPUID");
    return std::vector<kvm_cpuid_entry2>(buffer.entries(), buffer.entries() + buffer.count());
}

// All that KVM says must be saved, but for those that tell the guest of its processor's features: they hold no state, and
// follow from the processor and CPUID, which are the same or the snapshot is not used. The TSC's deadline comes after the TSC.
Result<VcpuParts> System::vcpu_parts() const {
    const int xsave = extension(KVM_CAP_XSAVE2);
    if (extension(KVM_CAP_SREGS2) == 0 || xsave <= 0)
        return Error{ENOTSUP, "make snapshots with this host's KVM (Linux 5.17 and newer)"};
    auto state = msr_list(fd_, kGetMsrIndexList, "KVM_GET_MSR_INDEX_LIST");
    auto features = msr_list(fd_, kGetMsrFeatureIndexList, "KVM_GET_MSR_FEATURE_INDEX_LIST");
    if (!state || !features)
        return state ? features.error() : state.error();
    VcpuParts parts{{}, static_cast<size_t>(xsave)};
    for (const uint32_t index : *state)
        if (!contains(*features, index) && index != kTscDeadline)
            parts.msrs.push_back(index);
    for (const uint32_t index : kMtrrs)
        if (!contains(parts.msrs, index))
            parts.msrs.push_back(index);
    parts.msrs.push_back(kTscDeadline);
    return parts;
}

Result<Vm> System::create_vm() const {
    int fd;
    do
        fd = ioctl(fd_.get(), KVM_CREATE_VM, 0);
    while (fd < 0 && errno == EINTR); // a signal while the host's kernel allocates
    if (fd < 0)
        return Error::last("KVM_CREATE_VM");
    return Vm(Fd(fd), run_size_);
}

} // namespace hrun::kvm
