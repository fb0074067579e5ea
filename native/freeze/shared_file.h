// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

namespace hrun::freeze {

// The file that the process shares with others, once note_memory() has found one.
struct SharedFile {
    bool known;
    dev_t device;
    ino_t inode;
};

extern SharedFile shared;

} // namespace hrun::freeze
