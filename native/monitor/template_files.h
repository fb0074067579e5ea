// SPDX-License-Identifier: Apache-2.0
// A machine that was booted before, saved in a directory: what its copies start from (docs/templates.md).
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "monitor/config.h"

namespace hrun::monitor {

struct TemplateFiles {
    static constexpr char kMemory[] = "memory"; // of qemu; sparse: what the guest has not touched is a hole
    // qemu: of CPUs and devices, in QEMU's own format. kvm: all of the machine, docs/snapshot-format.md.
    static constexpr char kState[] = "state";

    // An empty file that says: with an interface in qemu::kPreparedNic, so that its copies have to have one.
    static constexpr char kNic[] = "nic";

    // Of qemu, where QEMU translates: QEMU's process, as it stood still after a rehearsal (docs/frozen.md), and the machine's memory of then.
    static constexpr char kProcess[] = "process";
    static constexpr char kProcessMemory[] = "process.memory";

    Fd state;
    Fd memory; // of qemu
    uint64_t memory_bytes;
    bool nic = false;
    Fd process; // if there is one
    Fd process_memory;

    // Those of `directory`, for a machine of that engine with that much memory; an error when they are not there or not its.
    static Result<TemplateFiles> open(const std::string& directory, Engine engine, uint64_t memory_bytes);
    // Gives zeros of a memory file back to its file system: copies are as much shorter.
    static Result<void> dig_holes(int memory, uint64_t memory_bytes);
    // Copies a memory file to an empty one of its size, holes left out.
    static Result<void> copy_memory(int source, int target, uint64_t bytes);
};

// A new file of the directory that is the working directory.
Result<Fd> create_file(const char* name);

} // namespace hrun::monitor
