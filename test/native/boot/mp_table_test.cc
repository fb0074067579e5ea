// SPDX-License-Identifier: Apache-2.0
// Field by field against the Intel MultiProcessor Specification 1.4, read as a kernel reads it.
#include "boot/x86_64/mp_table.h"

#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <numeric>

using namespace hrun::boot;

namespace {

using Bytes = std::vector<std::byte>;

uint8_t u8(const Bytes& bytes, size_t at) {
    return std::to_integer<uint8_t>(bytes.at(at));
}
uint32_t u32(const Bytes& bytes, size_t at) {
    return u8(bytes, at) | u8(bytes, at + 1) << 8 | u8(bytes, at + 2) << 16 |
           static_cast<uint32_t>(u8(bytes, at + 3)) << 24;
}
uint16_t u16(const Bytes& bytes, size_t at) {
    return static_cast<uint16_t>(u32(bytes, at));
}

uint8_t sum(const Bytes& bytes, size_t from, size_t size) {
    uint8_t total = 0;
    for (size_t i = from; i < from + size; ++i)
        total = static_cast<uint8_t>(total + u8(bytes, i));
    return total;
}

// Offsets of all entries by type (4.3: ascending order of types is demanded).
std::map<uint8_t, std::vector<size_t>> entries(const Bytes& bytes) {
    std::map<uint8_t, std::vector<size_t>> found;
    size_t at = 44;
    uint8_t last = 0;
    for (uint16_t i = 0; i < u16(bytes, 34); ++i) {
        const uint8_t type = u8(bytes, at);
        CHECK(type >= last);
        last = type;
        found[type].push_back(at);
        at += type == 0 ? 20 : 8;
    }
    CHECK(at == u16(bytes, 4));
    return found;
}

MpTableConfig kvm_config(uint32_t vcpus) {
    return {vcpus, {{0xfec00000, 24}}, 0};
}

} // namespace

TEST_CASE("the floating pointer stands in the last KiB of base memory and leads to the table") {
    const Bytes bytes = mp_table(kvm_config(4));
    const size_t at = kMpFloatingPointer - kMpTableAddress;
    CHECK(memcmp(&bytes.at(at), "_MP_", 4) == 0);
    CHECK(kMpFloatingPointer % 16 == 0);
    CHECK(u32(bytes, at + 4) == kMpTableAddress);
    CHECK(u8(bytes, at + 8) == 1);           // length in 16-byte units
    CHECK(u8(bytes, at + 9) == 4);           // specification 1.4
    CHECK(sum(bytes, at, 16) == 0);          // checksum
    CHECK(u8(bytes, at + 11) == 0);          // feature 1: a configuration table is there
    CHECK((u8(bytes, at + 12) & 0x80) == 0); // feature 2: virtual wire mode
}

TEST_CASE("the configuration table's header is whole for every number of processors") {
    for (uint32_t vcpus = 1; vcpus <= 32; ++vcpus) {
        const Bytes bytes = mp_table(kvm_config(vcpus));
        CHECK(memcmp(bytes.data(), "PCMP", 4) == 0);
        CHECK(u8(bytes, 6) == 4);
        CHECK(sum(bytes, 0, u16(bytes, 4)) == 0);
        CHECK(u32(bytes, 36) == 0xfee00000);
        CHECK(u16(bytes, 4) <= kMpFloatingPointer - kMpTableAddress);
        CHECK(entries(bytes)[0].size() == vcpus);
    }
}

TEST_CASE("each processor has its APIC id, all are enabled, the first is the boot processor") {
    const Bytes bytes = mp_table(kvm_config(3));
    const auto processors = entries(bytes)[0];
    for (size_t i = 0; i < processors.size(); ++i) {
        CHECK(u8(bytes, processors[i] + 1) == i);
        CHECK(u8(bytes, processors[i] + 3) == (i == 0 ? 3 : 1));
    }
}

TEST_CASE("every interrupt line of the ISA bus is on a pin of its own of an IOAPIC that exists") {
    const Bytes bytes = mp_table(kvm_config(2));
    auto found = entries(bytes);
    REQUIRE(found[1].size() == 1);
    CHECK(memcmp(&bytes.at(found[1][0] + 2), "ISA   ", 6) == 0);
    REQUIRE(found[2].size() == 1);
    const uint8_t io_apic = u8(bytes, found[2][0] + 1);
    CHECK(io_apic == 2); // no processor's
    CHECK((u8(bytes, found[2][0] + 3) & 1) == 1);
    CHECK(u32(bytes, found[2][0] + 4) == 0xfec00000);
    REQUIRE(found[3].size() == 24);
    for (size_t line = 0; line < 24; ++line) {
        const size_t at = found[3][line];
        CHECK(u8(bytes, at + 1) == 0);  // INT
        CHECK(u16(bytes, at + 2) == 0); // polarity and trigger of the bus
        CHECK(u8(bytes, at + 4) == u8(bytes, found[1][0] + 1));
        CHECK(u8(bytes, at + 5) == line);
        CHECK(u8(bytes, at + 6) == io_apic);
        CHECK(u8(bytes, at + 7) == line);
    }
}

TEST_CASE("the local inputs are virtual wire: LINT0 takes the PIC, LINT1 is NMI everywhere") {
    const Bytes bytes = mp_table(kvm_config(2));
    const auto local = entries(bytes)[4];
    REQUIRE(local.size() == 2);
    CHECK(u8(bytes, local[0] + 1) == 3); // ExtINT
    CHECK(u8(bytes, local[0] + 7) == 0);
    CHECK(u8(bytes, local[1] + 1) == 1); // NMI
    CHECK(u8(bytes, local[1] + 6) == 0xff);
    CHECK(u8(bytes, local[1] + 7) == 1);
}
