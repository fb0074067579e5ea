// SPDX-License-Identifier: Apache-2.0
// What of the jail this host lets a monitor have: for `hrun doctor`.
#pragma once

#include <string>

namespace hrun::monitor {

// A JSON object of "namespaces", "landlock" and "controlGroup", each empty when it works, else why it does not. Tries each
// for real, in children of its own; to be called while the process has one thread.
std::string check_host();

} // namespace hrun::monitor
