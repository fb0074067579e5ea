// SPDX-License-Identifier: Apache-2.0
// The monitor's jail, in the order in which it closes: namespaces at its birth, then root and privileges, then, before the
// guest can run an instruction, the system calls of each thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

#include "base/result.h"
#include "jail/system_calls.h"

namespace hrun::monitor {

class Confinement {
  public:
    // `refused`: why the host gave no namespaces, if it did not. `report`: where violations are told (KeeperLink).
    Confinement(std::optional<Error> refused, int report) : refused_(std::move(refused)), report_(report) {}

    // First act of the monitor, whose working directory is the container's. `user`, `group`: the keeper's. `guest_inside`:
    // the guest will run in this process, which makes it a good victim for the host's OOM killer.
    Result<void> begin(uid_t user, gid_t group, bool guest_inside);
    // This process has mounts of its own, so that it or a child can get another root.
    bool own_mounts() const { return own_mounts_; }
    // This process as the host sees it.
    pid_t host_pid() const { return host_pid_; }

    // The container's directory becomes all that there is; capabilities go for good. Before there are other threads.
    Result<void> enter();
    // For a thread that is not the event loop's: to be called on it. A thread that cannot be locked in ends the process.
    std::function<void()> thread_lock(jail::ThreadKind kind) const;
    // enter(), if that was not yet, and the system calls of the calling thread, which runs the event loop.
    Result<void> lock(jail::ThreadKind kind = jail::ThreadKind::kEventLoop);

  private:
    Result<void> enter_root();

    std::optional<Error> refused_;
    int report_;
    pid_t host_pid_ = 0;
    bool own_mounts_ = false;
    bool entered_ = false;
};

} // namespace hrun::monitor
