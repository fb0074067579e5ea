// SPDX-License-Identifier: Apache-2.0
// A checkpoint's directory, but for what the CLI has written there (docs/checkpoint.md): memory and disk of a container, the state of
// its machine, and `contents.json`, by which damage is found.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::monitor {

struct CheckpointFiles {
    static constexpr char kMemory[] = "memory"; // sparse: pages of zeros are holes
    static constexpr char kState[] = "state";   // QEMU's migration format, without the memory
    static constexpr char kDisk[] = "disk";     // of all that the container has written; sparse
    static constexpr char kContents[] = "contents.json";

    Fd memory;
    Fd state;
    Fd disk;

    // New, empty ones in a directory that has none.
    static Result<CheckpointFiles> create(int directory);
    // Those of a directory, each of them whole. The error names what is damaged.
    static Result<CheckpointFiles> open(const std::string& directory);
    // The same, of a machine with that much memory.
    static Result<CheckpointFiles> open(const std::string& directory, uint64_t memory_bytes);

    // Writes down what they hold, and makes all of it durable.
    Result<void> seal(int directory) const;
};

} // namespace hrun::monitor
