// SPDX-License-Identifier: Apache-2.0
// Network namespaces that a file keeps: a bind mount of theirs, as ip-netns(8) makes them.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace hrun::net {

// Makes an empty network namespace with this path, which is absolute and not there yet (EEXIST); its directory is made too. It needs
// CAP_SYS_ADMIN, and stays until it is removed and nobody is in it.
Result<void> create_namespace(const std::string& path);

// Takes the path away. One that is gone already, or is no namespace any more since the host was started anew, is fine.
Result<void> remove_namespace(const std::string& path);

// Runs `body` on a thread that is in the namespace, to its end. Sockets and tap interfaces that it opens are the namespace's.
Result<void> in_namespace(const std::string& path, const std::function<Result<void>()>& body);

// The same in an empty one, which has no path and is gone when what `body` has opened is closed.
Result<void> in_new_namespace(const std::function<Result<void>()>& body);

} // namespace hrun::net
