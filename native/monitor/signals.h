// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace hrun::monitor {

// A signalfd(2) for SIGTERM, SIGINT and SIGHUP, which no longer end the process; a broken pipe is an error of write(2). SIGTERM asks
// to stop, SIGHUP a keeper to look at the container's networks; what a terminal sends is not for a VM that outlives its command.
Result<Fd> watch_signals();

} // namespace hrun::monitor
