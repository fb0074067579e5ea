// SPDX-License-Identifier: Apache-2.0
// What an ordinary program under our care may not ask of the host's kernel. Its own sandbox, if it has one, comes on top.
#pragma once

#include "base/result.h"
#include "jail/filter.h"

namespace hrun::jail {

// A list of what is denied, for a program whose needs are its authors' to know: sockets other than Unix ones, the lock of a
// file, looking into other processes, mounts and namespaces, keys, BPF, io_uring, modules. They fail with EPERM.
Result<Filter> compile_program_filter();

} // namespace hrun::jail
