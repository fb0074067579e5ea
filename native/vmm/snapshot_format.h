// SPDX-License-Identifier: Apache-2.0
// The layout of a snapshot file: docs/snapshot-format.md. All numbers are little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hrun::vmm {

constexpr std::array<char, 8> kSnapshotMagic{'H', 'R', 'U', 'N', 'S', 'N', 'A', 'P'};
constexpr uint32_t kSnapshotVersion = 1; // of all that follows, the sections' content included
constexpr uint32_t kSnapshotX86_64 = 1;

constexpr uint64_t kSnapshotPage = 4096;
constexpr uint32_t kMostSections = 64;
constexpr uint64_t kMostStateBytes = 4 << 20; // header, table and sections

struct SnapshotHeader {
    std::array<char, 8> magic = kSnapshotMagic;
    uint32_t version = kSnapshotVersion;
    uint32_t checksum = 0; // CRC-32C of header and table, with zero here
    uint32_t architecture = kSnapshotX86_64;
    uint32_t sections = 0;
    uint64_t state_bytes = 0;   // where the last section ends
    uint64_t memory_offset = 0; // the first page boundary from there on
    uint64_t memory_bytes = 0;  // to the end of the file
};
static_assert(sizeof(SnapshotHeader) == 48);

enum class SectionKind : uint32_t {
    kMachine = 1, // MachineShape
    kVm = 2,      // kvm::VmState
    kVcpu = 3,    // kvm::VcpuState; index: its APIC id
    kSerial = 4,
    kDevice = 5, // virtio-mmio and the device; index: its slot
};

// An entry of the table, which follows the header; sections follow the table, in its order and without gaps.
struct SectionEntry {
    SectionKind kind{};
    uint32_t index = 0;
    uint32_t bytes = 0;
    uint32_t checksum = 0; // CRC-32C of its bytes
};
static_assert(sizeof(SectionEntry) == 16);

// Where memory begins behind so much state.
constexpr uint64_t memory_offset_behind(uint64_t state_bytes) {
    return (state_bytes + kSnapshotPage - 1) & ~(kSnapshotPage - 1);
}

// What SnapshotHeader::checksum must be, whatever it is.
uint32_t header_checksum(SnapshotHeader header, std::span<const SectionEntry> table);

// A section that is to be written.
struct Section {
    SectionKind kind{};
    uint32_t index = 0;
    std::vector<std::byte> bytes;
};

} // namespace hrun::vmm
