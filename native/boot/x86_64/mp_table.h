// SPDX-License-Identifier: Apache-2.0
// The Intel MultiProcessor Specification 1.4 tables: how a kernel without ACPI learns of CPUs, I/O APICs and the wiring
// of interrupts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hrun::boot {

struct IoApic {
    uint32_t address; // of its registers
    uint8_t pins;
};

struct MpTableConfig {
    uint32_t vcpus = 1; // 1 to 32; local APIC IDs count from 0
    // Pins are numbered through, in this order: pin p of all is interrupt p on the ISA bus, edge triggered, active high.
    std::vector<IoApic> io_apics;
    // The pin of interrupt 0, the PIT's: 2 as on every PC, whose pin 0 then carries nothing, or 0 where interrupts are
    // wired straight, as KVM does.
    uint8_t timer_pin = 2;
};

// Where the tables go, below the 640 KiB that real-mode software knows: the configuration table first, the floating pointer
// in the last KiB, which is where kernels look (4, "the last kilobyte of system base memory").
constexpr uint64_t kMpTableAddress = 0x9f000;
constexpr uint64_t kMpFloatingPointer = 0x9fc00;

// The floating pointer's distance from the table's start.
constexpr uint64_t kMpPointerOffset = kMpFloatingPointer - kMpTableAddress;

// The bytes to place at `address`, floating pointer included. A machine whose firmware writes tables of its own where
// kernels look first puts these elsewhere and says where on the kernel's command line (mp_table=, our patch 0004).
std::vector<std::byte> mp_table(const MpTableConfig& config, uint64_t address = kMpTableAddress);

} // namespace hrun::boot
