// SPDX-License-Identifier: Apache-2.0
#include "kvm/system.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include "kvm/array_buffer.h"

namespace hrun::kvm {

namespace {

constexpr uint32_t kMaxCpuidEntries = 256; // KVM_MAX_CPUID_ENTRIES

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
