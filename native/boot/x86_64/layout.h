// SPDX-License-Identifier: Apache-2.0
// Where everything lies in guest-physical memory. One page to read before any address in a register dump.
//
//   0x0000_1000  GDT
//   0x0000_7000  zero page (struct boot_params)
//   0x0000_9000  page tables: PML4, PDPT, four page directories that map the first 4 GiB
//   0x0002_0000  kernel command line
//   0x0009_f000  MP table (mp_table.h); from here to 1 MiB is no RAM for the kernel
//   0x0010_0000  kernel
//        …       initrd, as high as fits below 4 GiB's hole
//   0xd000_0000  the hole: no RAM from here to 4 GiB
//   0xd000_0fa0    virtio-mmio slots, 4 KiB each, every 8 KiB
//   0xfec0_0000    IOAPIC
//   0xfee0_0000    local APIC (mp_table.cc)
//   0xfffb_c000    pages that KVM needs for itself on VMX
// 0x1_0000_0000  the rest of RAM
#pragma once

#include <cstdint>

namespace hrun::boot {

constexpr uint64_t kGdt = 0x1000;
constexpr uint64_t kZeroPage = 0x7000;
constexpr uint64_t kPageTables = 0x9000;
constexpr uint64_t kCommandLine = 0x20000;
constexpr uint64_t kLowMemoryEnd = 0x9f000;
constexpr uint64_t kHighMemory = 0x100000;

constexpr uint64_t kHoleStart = 0xd0000000;
constexpr uint64_t kHoleEnd = 0x100000000;

// A page begins at a slot's register InterruptStatus. From there on the guest reads memory; what lies before is none, for
// KVM finds a notification quickest (QueueNotify) where no memory is.
constexpr uint64_t kVirtioMmioReadable = 0x60;
constexpr uint64_t kVirtioMmio = kHoleStart + 0x1000 - kVirtioMmioReadable;
constexpr uint64_t kVirtioMmioSize = 0x1000;
constexpr uint64_t kVirtioMmioStride = 0x2000;
constexpr uint32_t kVirtioMmioSlots = 23;

constexpr uint32_t kIoApic = 0xfec00000;
constexpr uint64_t kIdentityMapPage = 0xfffbc000;
constexpr uint32_t kTssPages = 0xfffbd000;

constexpr uint64_t kPageSize = 4096;
constexpr uint64_t kCommandLineMax = 2048; // COMMAND_LINE_SIZE of x86 Linux, its NUL included

constexpr uint32_t kIoApicPins = 24;
constexpr uint32_t kSerialLine = 4;      // COM1
constexpr uint32_t kFirstVirtioLine = 5; // up to pin 23; lower ones belong to what a PC has there
constexpr uint32_t kMaxVcpus = 32;

// The interrupt line of a virtio-mmio slot. The last four slots share the lines of the first four: with edges that
// the local APIC latches and drivers that read InterruptStatus, sharing is safe.
constexpr uint32_t virtio_line(uint32_t slot) {
    return kFirstVirtioLine + slot % (kIoApicPins - kFirstVirtioLine);
}

constexpr uint64_t virtio_address(uint32_t slot) {
    return kVirtioMmio + slot * kVirtioMmioStride;
}

} // namespace hrun::boot
