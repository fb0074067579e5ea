// SPDX-License-Identifier: Apache-2.0
// A system call that is on no list: the thread that tried it stands still, and somebody outside is told which it was.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace hrun::jail {

// From now on a violation of any thread of this process is written to `report`, a descriptor that stays open, as `tag` and
// the system call's number, two uint32_t; the thread never returns. Whoever reads it is to kill the process.
Result<void> report_violations(int report, uint32_t tag);

// "socket", or "system call 999".
std::string system_call_name(uint32_t number);

} // namespace hrun::jail
