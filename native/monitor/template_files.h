// SPDX-License-Identifier: Apache-2.0
// A machine that was booted before, saved in a directory: what its copies start from (docs/templates.md).
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::monitor {

struct TemplateFiles {
    static constexpr char kMemory[] = "memory"; // sparse: what the guest has not touched is a hole
    static constexpr char kState[] = "state";   // of CPUs and devices, in QEMU's own format

    Fd memory;
    Fd state;
    uint64_t memory_bytes;

    // Those of `directory`, for a machine with that much memory; an error when they are not there or not its.
    static Result<TemplateFiles> open(const std::string& directory, uint64_t memory_bytes);
    // Gives zeros of a memory file back to its file system: copies are as much shorter.
    static Result<void> dig_holes(int memory, uint64_t memory_bytes);
    // Copies the memory to an empty file of its size, holes left out.
    Result<void> copy_memory(int target) const;
};

} // namespace hrun::monitor
