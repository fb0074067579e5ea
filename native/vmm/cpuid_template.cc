// SPDX-License-Identifier: Apache-2.0
// Leaves: Intel SDM volume 2, CPUID; AMD64 APM volume 3, appendix E; Linux, Documentation/virt/kvm/x86/cpuid.rst.
#include "vmm/cpuid_template.h"

#include <bit>
#include <initializer_list>

namespace hrun::vmm {

namespace {

constexpr uint32_t kAll = 0xffffffff;
constexpr uint32_t kAnyIndex = 0xffffffff;

constexpr uint32_t bits(std::initializer_list<int> positions) {
    uint32_t mask = 0;
    for (int position : positions)
        mask |= 1u << position;
    return mask;
}

// Leaf 1. Not there: MONITOR (3), debug store (2, 4), VMX (5), SMX (6), SpeedStep and thermal (7, 8), PDCM (15), DCA
// (18): host power, host debugging and nested virtualization are none of the guest's business.
constexpr uint32_t kFeatures1Ecx = bits({
    0,  /* SSE3 */
    1,  /* PCLMULQDQ */
    9,  /* SSSE3 */
    12, /* FMA */
    13, /* CMPXCHG16B */
    17, /* PCID */
    19, /* SSE4.1 */
    20, /* SSE4.2 */
    21, /* x2APIC */
    22, /* MOVBE */
    23, /* POPCNT */
    24, /* TSC deadline timer */
    25, /* AES */
    26, /* XSAVE */
    28, /* AVX */
    29, /* F16C */
    30, /* RDRAND */
    31, /* hypervisor */
});
// Not there: PSN (18), DS (21), ACPI (22), thermal (29), PBE (31).
constexpr uint32_t kFeatures1Edx = kAll & ~bits({18, 20, 21, 22, 29, 30, 31});

// Leaf 7, index 0. Not there: SGX (ebx 2), TSX (4, 11), cache QoS (12, 15), MPX (14), processor trace (25); ecx: ENQCMD
// (29), SGX_LC (30), key locker (23), bus lock detection (24), PKS (31).
constexpr uint32_t kFeatures7Ebx = kAll & ~bits({2, 4, 6, 11, 12, 13, 14, 15, 22, 25});
constexpr uint32_t kFeatures7Ecx = bits({
    1,  /* AVX512_VBMI */
    2,  /* UMIP */
    3,  /* PKU */
    4,  /* OSPKE */
    6,  /* AVX512_VBMI2 */
    8,  /* GFNI */
    9,  /* VAES */
    10, /* VPCLMULQDQ */
    11, /* AVX512_VNNI */
    12, /* AVX512_BITALG */
    14, /* AVX512_VPOPCNTDQ */
    16, /* LA57 */
    22, /* RDPID */
});
constexpr uint32_t kFeatures7Edx = bits({
    2,  /* AVX512_4VNNIW */
    3,  /* AVX512_4FMAPS */
    4,  /* fast short REP MOV */
    8,  /* AVX512_VP2INTERSECT */
    10, /* MD_CLEAR */
    14, /* SERIALIZE */
    22, /* AMX BF16 */
    23, /* AVX512_FP16 */
    24, /* AMX tiles */
    25, /* AMX INT8 */
    26, /* IBRS, IBPB */
    27, /* STIBP */
    28, /* L1D flush */
    29, /* ARCH_CAPABILITIES */
    31, /* SSBD */
});

constexpr uint32_t kArat = bits({2}); // leaf 6: the APIC timer never stops

// Leaf 0x40000001, KVM's own features.
constexpr uint32_t kKvmFeatures = bits({
    0,  /* clock source, old MSRs */
    1,  /* no I/O delay needed */
    3,  /* clock source */
    5,  /* steal time */
    6,  /* paravirtual end of interrupt */
    7,  /* paravirtual unhalt */
    9,  /* paravirtual TLB flush */
    11, /* paravirtual IPIs */
    12, /* halt polling control */
    13, /* paravirtual yield */
    24, /* the clock is stable across vCPUs */
});

// Leaf 0x80000001. Not there: SVM (ecx 2), OSVW (9), IBS (10), SKINIT (12), watchdog (13), lightweight profiling (15),
// topology extensions (22), performance counters (23, 24, 28), monitor (29).
constexpr uint32_t kFeaturesExtendedEcx =
    kAll & ~bits({2, 3, 9, 10, 12, 13, 15, 17, 19, 22, 23, 24, 26, 27, 28, 29});

struct Leaf {
    uint32_t function;
    uint32_t index; // kAnyIndex: each index the host has
    uint32_t eax = kAll, ebx = kAll, ecx = kAll, edx = kAll;
};

constexpr Leaf kTemplate[] = {
    {0x0, kAnyIndex},                                                // vendor; the highest leaf is set below
    {0x1, kAnyIndex, kAll, kAll, kFeatures1Ecx, kFeatures1Edx},      // model, features
    {0x2, kAnyIndex},                                                // cache descriptors
    {0x4, kAnyIndex},                                                // caches; sharing is set per vCPU
    {0x6, kAnyIndex, kArat, 0, 0, 0},                                // power: nothing but ARAT
    {0x7, 0, kAll, kFeatures7Ebx, kFeatures7Ecx, kFeatures7Edx},     // features
    {0x7, 1},                                                        // more features
    {0x7, 2},                                                        //
    {0xb, kAnyIndex},                                                // topology, set per vCPU
    {0xd, kAnyIndex},                                                // XSAVE areas
    {0x14, 0, 0, 0, 0, 0},                                           // no processor trace
    {0x15, kAnyIndex},                                               // TSC and crystal clock
    {0x16, kAnyIndex},                                               // frequencies
    {0x19, 0, 0, 0, 0, 0},                                           // no key locker
    {0x1d, kAnyIndex},                                               // tiles
    {0x1e, kAnyIndex},                                               //
    {0x40000000, kAnyIndex},                                         // "KVMKVMKVM"
    {0x40000001, kAnyIndex, kKvmFeatures, 0, 0, kAll},               // paravirtual features, hints
    {0x80000000, kAnyIndex},                                         // highest extended leaf
    {0x80000001, kAnyIndex, kAll, kAll, kFeaturesExtendedEcx, kAll}, // extended features
    {0x80000002, kAnyIndex},                                         // name
    {0x80000003, kAnyIndex},                                         //
    {0x80000004, kAnyIndex},                                         //
    {0x80000005, kAnyIndex},                                         // AMD: L1
    {0x80000006, kAnyIndex},                                         // L2, L3
    {0x80000007, kAnyIndex, 0, 0, 0, bits({8})},                     // the TSC never stops
    {0x80000008, kAnyIndex}, // address sizes; AMD: core count, set below
    {0x80000021, kAnyIndex}, // AMD: more features
};

const Leaf* find(uint32_t function, uint32_t index) {
    for (const Leaf& leaf : kTemplate)
        if (leaf.function == function && (leaf.index == kAnyIndex || leaf.index == index))
            return &leaf;
    return nullptr;
}

// The highest leaf that each range may claim: the last one of the template in it.
constexpr uint32_t kMaxBasic = 0x1e;
constexpr uint32_t kMaxExtended = 0x80000021;

void set_caches(kvm_cpuid_entry2& entry, uint32_t vcpus) {
    const uint32_t level = entry.eax >> 5 & 7;
    const uint32_t sharing = level >= 3 ? vcpus - 1 : 0; // each core has its own L1 and L2
    entry.eax = (entry.eax & 0x3fff) | sharing << 14 | (vcpus - 1) << 26;
}

// Leaf 0xb: index 0 is threads of a core (one), index 1 cores of the package.
void set_topology(kvm_cpuid_entry2& entry, uint32_t id, uint32_t vcpus) {
    const auto shift = static_cast<uint32_t>(std::bit_width(vcpus - 1));
    enum Level : uint32_t { kThread = 1, kCore = 2 };
    entry.eax = entry.index == 1 ? shift : 0;
    entry.ebx = entry.index == 0 ? 1 : entry.index == 1 ? vcpus : 0;
    entry.ecx = entry.index | (entry.index == 0 ? kThread << 8 : entry.index == 1 ? kCore << 8 : 0);
    entry.edx = id;
}

} // namespace

CpuidTable apply_cpuid_template(const CpuidTable& supported) {
    CpuidTable table;
    for (kvm_cpuid_entry2 entry : supported) {
        const Leaf* leaf = find(entry.function, entry.index);
        if (!leaf)
            continue;
        entry.eax &= leaf->eax;
        entry.ebx &= leaf->ebx;
        entry.ecx &= leaf->ecx;
        entry.edx &= leaf->edx;
        if (entry.function == 0)
            entry.eax = std::min(entry.eax, kMaxBasic);
        if (entry.function == 0x80000000)
            entry.eax = std::min(entry.eax, kMaxExtended);
        table.push_back(entry);
    }
    return table;
}

CpuidTable cpuid_of_vcpu(CpuidTable base, uint32_t id, uint32_t vcpus) {
    for (kvm_cpuid_entry2& entry : base) {
        switch (entry.function) {
        case 0x1:
            entry.ebx = (entry.ebx & 0xffff) | vcpus << 16 | id << 24;
            entry.ecx |= 1u << 31; // a hypervisor is there
            entry.edx =
                vcpus > 1 ? entry.edx | 1u << 28 : entry.edx & ~(1u << 28); // the count above means something
            break;
        case 0x4:
            if (entry.eax & 0x1f)
                set_caches(entry, vcpus);
            break;
        case 0xb:
            set_topology(entry, id, vcpus);
            break;
        case 0x80000008:
            entry.ecx = (vcpus - 1) | static_cast<uint32_t>(std::bit_width(vcpus - 1)) << 12;
            break;
        }
    }
    return base;
}

} // namespace hrun::vmm
