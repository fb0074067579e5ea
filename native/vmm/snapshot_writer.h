// SPDX-License-Identifier: Apache-2.0
// Writing a snapshot file: there is none by its name, or the one that was there, until the new one is whole and on the disk.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "vmm/machine_memory.h"
#include "vmm/snapshot_format.h"

namespace hrun::vmm {

// Where a snapshot is to be: `directory` is a descriptor that stays the caller's.
struct SnapshotTarget {
    int directory;
    std::string name;
};

// Header, table and sections: all that comes before memory.
std::vector<std::byte> encode_state(const std::vector<Section>& sections, uint64_t memory_bytes);

// Writes sections and memory, which must not change meanwhile. Pages of zeros become holes. What a killed writer leaves behind is
// called NAME.PID.N.unfinished. Only the owner may read the file: the guest's secrets are in it.
Result<void> write_snapshot(const SnapshotTarget& target, const std::vector<Section>& sections,
                            const MachineMemory& memory);

} // namespace hrun::vmm
