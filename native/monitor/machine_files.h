// SPDX-License-Identifier: Apache-2.0
// Every file that a machine needs, opened before its monitor is locked in.
#pragma once

#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "monitor/config.h"

namespace hrun::monitor {

// What could not be opened is for the monitor to tell its clients.
struct MachineFiles {
    Result<Fd> kernel = Fd();
    Result<Fd> initrd = Fd();
    Result<Fd> kvm = Fd(); // of the kvm engine
    std::vector<Result<Fd>> disks;
};

MachineFiles open_machine_files(const Config& config);

} // namespace hrun::monitor
