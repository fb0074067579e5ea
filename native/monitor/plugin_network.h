// SPDX-License-Identifier: Apache-2.0
// The end of a container's CNI network: its plug-ins are told to take away what they have made (CNI specification, DEL), from the last to the
// first, and its network namespace goes. src/network/cni-record.ts writes the record that says all of it.
#pragma once

#include <string>

namespace hrun::monitor {

// <store>/networks/.cni/<id> of a container's directory.
std::string plugin_record(const std::string& container_directory);

// Carries it out. Every plug-in is told, whatever the others say. The record is removed when all have done it, for only then is nothing left;
// one that is gone already is fine. Returns one line about the first that failed, else "".
std::string leave_plugin_network(const std::string& record);

} // namespace hrun::monitor
