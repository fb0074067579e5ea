// SPDX-License-Identifier: Apache-2.0
// The request numbers of KVM's ioctls whose struct ends in an array of any length (kvm_cpuid2, kvm_msrs, kvm_signal_mask,
// kvm_xsave). They are spelled out because in C++ the kernel's macro for such arrays makes the structs larger, and with
// them the request numbers that their sizes go into (linux/stddef.h before Linux 6.3).
#pragma once

#include <linux/kvm.h>

#include <cstdint>

namespace hrun::kvm {

struct ArrayHeader {
    uint32_t count;
    uint32_t padding;
};

// struct kvm_signal_mask with the kernel's sigset_t of 64 signals.
struct SignalMask {
    uint32_t length = 8;
    uint8_t signals[8];
};

// struct kvm_xsave, without what a processor with larger registers has behind it.
struct PlainXsave {
    uint32_t region[1024];
};

constexpr unsigned long kGetXsave = _IOR(KVMIO, 0xa4, PlainXsave);
constexpr unsigned long kSetXsave = _IOW(KVMIO, 0xa5, PlainXsave);
constexpr unsigned long kGetXsave2 = _IOR(KVMIO, 0xcf, PlainXsave);
constexpr unsigned long kGetMsrIndexList = _IOWR(KVMIO, 0x02, uint32_t);
constexpr unsigned long kGetMsrFeatureIndexList = _IOWR(KVMIO, 0x0a, uint32_t);
constexpr unsigned long kGetSupportedCpuid = _IOWR(KVMIO, 0x05, ArrayHeader);
constexpr unsigned long kGetMsrs = _IOWR(KVMIO, 0x88, ArrayHeader);
constexpr unsigned long kSetMsrs = _IOW(KVMIO, 0x89, ArrayHeader);
constexpr unsigned long kSetSignalMask = _IOW(KVMIO, 0x8b, uint32_t);
constexpr unsigned long kSetCpuid2 = _IOW(KVMIO, 0x90, ArrayHeader);

} // namespace hrun::kvm
