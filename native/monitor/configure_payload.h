// SPDX-License-Identifier: Apache-2.0
// CONFIGURE as the agent gets it: what the CLI wrote, and what only the moment of sending knows.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol.h"

namespace hrun::monitor {

// `stored` (configure.bin) with HRUN_CONF_TIME and HRUN_CONF_ENTROPY of now behind it: a clock set by the time at which
// the container was made would be late by the boot, and entropy is not to lie on a disk.
Result<std::string> configure_payload(std::string_view stored);

// WAKE with the time and the entropy of now, and all the credit that there is.
Result<hrun_wake> wake_payload();

// Of `stored`, what goes behind it: the name and the networks of the container that goes on, and the files that tell of them.
std::string identity_of(std::string_view stored);

// `stored` with other slots for its disks: those of the machine that they are plugged into. A slot without another stays.
std::string with_slots(std::string_view stored, const std::map<unsigned, unsigned>& slots);

// `stored` without the tags of networks, for a machine that has none whatever its container has.
std::string without_networks(std::string_view stored);

} // namespace hrun::monitor
