// SPDX-License-Identifier: Apache-2.0
// A root for one program: its binary and its libraries, read-only, and the few files it is to read. Nothing can be written.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::jail {

// A file of that root. Either a file of the host is shown there, or the content of `bytes`.
struct RootFile {
    std::string name;   // a relative path
    std::string source; // path on the host, of a file or a directory; empty: `bytes`
    std::string bytes;
    bool executable = false; // code may be in it
};

// Gives this process a mount namespace and a root of its own (a tmpfs at `mount_point`, an existing directory): the host's
// /usr and its links, the dynamic linker's cache, `program` and `files`, all read-only and without devices, except for
// `devices` (paths below /dev). Needs CAP_SYS_ADMIN in its user namespace.
Result<void> enter_program_root(const std::string& mount_point, const std::string& program,
                                const std::vector<RootFile>& files, const std::vector<std::string>& devices);

} // namespace hrun::jail
