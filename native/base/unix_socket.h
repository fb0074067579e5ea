// SPDX-License-Identifier: Apache-2.0
// Unix stream sockets by directory and name. A path may be longer than sun_path holds, so sockets are bound and connected
// through /proc/self/fd/<directory>/<name>; with AT_FDCWD as the directory, which needs no /proc, in the working directory.
#pragma once

#include <string>
#include <utility>

#include "base/fd.h"
#include "base/result.h"

namespace hrun {

// A listening, non-blocking socket `name` in `directory`; a file already there is replaced.
Result<Fd> listen_unix(int directory, const std::string& name);
// A connected, non-blocking socket; no symbolic link is followed. EAGAIN when the listener's backlog is full.
Result<Fd> connect_unix(int directory, const std::string& name);
// The next waiting connection, non-blocking. EAGAIN when there is none.
Result<Fd> accept_unix(int listener);
// Two connected, non-blocking ends.
Result<std::pair<Fd, Fd>> unix_pair();

} // namespace hrun
