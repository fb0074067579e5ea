// SPDX-License-Identifier: Apache-2.0
// What an ordinary program under our care may not ask of the host's kernel. Its own sandbox, if it has one, comes on top.
#pragma once

#include <span>

namespace hrun::jail {

// A list of what is denied, for a program whose needs are its authors' to know: the lock of a file, looking into other
// processes, mounts and namespaces, keys, BPF, io_uring, modules. Sockets other than Unix ones are denied besides.
std::span<const int> denied_calls();

} // namespace hrun::jail
