// SPDX-License-Identifier: Apache-2.0
#include "vmm/cpuid_template.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace hrun::vmm;

namespace {

kvm_cpuid_entry2 entry(uint32_t function, uint32_t index, uint32_t fill) {
    return {.function = function, .index = index, .eax = fill, .ebx = fill, .ecx = fill, .edx = fill};
}

const kvm_cpuid_entry2* find(const CpuidTable& table, uint32_t function, uint32_t index = 0) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const kvm_cpuid_entry2& e) {
        return e.function == function && e.index == index;
    });
    return found == table.end() ? nullptr : &*found;
}

// A host that has everything.
CpuidTable everything() {
    CpuidTable table;
    for (uint32_t base : {0u, 0x40000000u, 0x80000000u})
        for (uint32_t leaf = 0; leaf < 0x30; ++leaf)
            for (uint32_t index = 0; index < 3; ++index)
                table.push_back(entry(base + leaf, index, 0xffffffff));
    return table;
}

bool bit(uint32_t value, int position) {
    return value >> position & 1;
}

} // namespace

TEST_CASE("what the template does not list is not there") {
    const CpuidTable table = apply_cpuid_template(everything());
    CHECK(!find(table, 0x3));        // serial number
    CHECK(!find(table, 0x5));        // MONITOR
    CHECK(!find(table, 0xa));        // performance monitoring
    CHECK(!find(table, 0x12));       // SGX
    CHECK(!find(table, 0x8000000a)); // SVM
    CHECK(find(table, 0x0)->eax == 0x1e);
    CHECK(find(table, 0x80000000)->eax == 0x80000021);
}

TEST_CASE("host power, debugging and nested virtualization are hidden, what programs use is kept") {
    const CpuidTable table = apply_cpuid_template(everything());
    const auto* leaf1 = find(table, 1);
    for (int hidden : {2, 3, 5, 6, 7, 8, 15, 18})
        CHECK(!bit(leaf1->ecx, hidden));
    for (int kept : {0, 1, 9, 12, 13, 19, 20, 21, 22, 23, 24, 25, 26, 28, 30, 31})
        CHECK(bit(leaf1->ecx, kept));
    CHECK(!bit(leaf1->edx, 22));
    CHECK(bit(leaf1->edx, 25)); // SSE
    CHECK(bit(leaf1->edx, 26)); // SSE2
    CHECK(!bit(find(table, 7)->ebx, 2));
    CHECK(bit(find(table, 7)->ebx, 5)); // AVX2
    CHECK(find(table, 6)->eax == 4);
    CHECK(!bit(find(table, 0x80000001)->ecx, 2));
    CHECK(bit(find(table, 0x80000001)->edx, 29)); // long mode
}

TEST_CASE("a feature that the host lacks is never shown") {
    CpuidTable nothing = everything();
    for (kvm_cpuid_entry2& e : nothing)
        e.eax = e.ebx = e.ecx = e.edx = 0;
    for (const kvm_cpuid_entry2& e : apply_cpuid_template(nothing))
        CHECK((e.eax | e.ebx | e.ecx | e.edx) == 0);
}

TEST_CASE("each processor has its own APIC id and all agree on the topology") {
    const CpuidTable base = apply_cpuid_template(everything());
    for (uint32_t vcpus : {1u, 2u, 3u, 32u})
        for (uint32_t id = 0; id < vcpus; ++id) {
            const CpuidTable table = cpuid_of_vcpu(base, id, vcpus);
            CHECK((find(table, 1)->ebx >> 24) == id);
            CHECK((find(table, 1)->ebx >> 16 & 0xff) == vcpus);
            CHECK(bit(find(table, 1)->edx, 28) == (vcpus > 1));
            CHECK(find(table, 0xb, 0)->ebx == 1);
            CHECK(find(table, 0xb, 1)->ebx == vcpus);
            CHECK(find(table, 0xb, 1)->edx == id);
            CHECK((1u << find(table, 0xb, 1)->eax) >= vcpus);
            CHECK(find(table, 0xb, 2)->ebx == 0);
            CHECK((find(table, 4, 0)->eax >> 26) == vcpus - 1);
        }
}
