// SPDX-License-Identifier: Apache-2.0
// A machine's RAM: one memory file, mapped once, shown to devices as GuestMemory and to the guest as KVM slots.
#pragma once

#include <vector>

#include "base/fd.h"
#include "boot/x86_64/memory_map.h"
#include "kvm/vm.h"
#include "memory/guest_memory.h"
#include "vmm/snapshot_file.h"

namespace hrun::vmm {

struct MachineMemory {
    Fd file; // a sealed memfd: for snapshots and vhost-user peers; none in a restored machine
    std::vector<boot::Range> ranges; // KVM slot N is ranges[N]; the file holds them one after the other
    GuestMemory guest;

    uint64_t size() const;
};

// Allocates `size` bytes (lazily: pages come as they are touched) and registers them with `vm`.
Result<MachineMemory> create_machine_memory(kvm::Vm& vm, uint64_t size);

// The memory of a snapshot, copy-on-write: pages that the guest only reads are shared with all others who have the file mapped.
Result<MachineMemory> restore_machine_memory(kvm::Vm& vm, const SnapshotFile& snapshot);

// Sets all slots to log writes, or to stop that.
Result<void> set_dirty_logging(kvm::Vm& vm, const MachineMemory& memory, bool on);

// Guest-physical ranges written since the last call or since logging began, page-aligned, ascending. Only the vCPUs'
// writes are in it: what devices write through GuestMemory, KVM does not see.
Result<std::vector<boot::Range>> take_dirty_ranges(const kvm::Vm& vm, const MachineMemory& memory);

} // namespace hrun::vmm
