// SPDX-License-Identifier: Apache-2.0
// virtiofsd, the process behind a VM's virtiofs device: it serves the container's shared directories to the guest, and
// cannot outlive the keeper.
#pragma once

#include <optional>

#include "base/fd.h"
#include "monitor/config.h"
#include "qemu/process.h"

namespace hrun::monitor {

// For the user, when a machine has lost it.
constexpr char kShareDaemonEnded[] =
    "the daemon that shares the host's directories has ended; see monitor.log";

// What a machine gets of its share daemon.
struct SharedDirectories {
    Fd machine;                  // vhost-user socket
    Fd daemon;                   // pidfd: readable when it has ended
    std::optional<Error> failed; // why there is none
};

class ShareDaemon {
  public:
    // Opens the paths and starts the daemon on them. `directory` is the container's. The error names the path or program
    // that is in the way. Not from within a jail: it needs the host's mounts and CAP_SYS_ADMIN.
    SharedDirectories start(int directory, const ShareConfig& config);

  private:
    Result<SharedDirectories> try_start(int directory, const ShareConfig& config);

    qemu::Process process_; // its end ends the daemon
};

} // namespace hrun::monitor
