// SPDX-License-Identifier: Apache-2.0
// QEMU as a child that cannot outlive its parent.
#pragma once

#include <sys/types.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/fd.h"
#include "base/result.h"

namespace hrun::qemu {

class Process {
  public:
    static constexpr int kFirstFd = 3;

    // Starts `argv` in its own process group, killed when this process dies in whatever way. Its descriptors are
    // /dev/null, /dev/null and `error_output`, then `fds` as kFirstFd and up, and no others. `prepare` runs in the child
    // before it becomes the program and is done when this returns; what fails in it is said on the error output.
    static Result<Process> spawn(
        const std::vector<std::string>& argv, int error_output, std::span<const int> fds,
        const std::function<Result<void>()>& prepare = [] { return Result<void>(); });

    Process() = default;
    Process(Process&& other) noexcept;
    Process& operator=(Process&& other) noexcept;
    // Kills it and waits for its end.
    ~Process();

    pid_t pid() const { return pid_; }
    // The same as those see it who are outside of this pid namespace.
    pid_t host_pid() const { return host_pid_; }
    bool running() const { return pid_ > 0; }
    // Readable when the process has ended.
    int pidfd() const { return pidfd_.get(); }
    void kill() const;
    // Collects the ended process; returns its wait status.
    int wait();

  private:
    Process(pid_t pid, pid_t host_pid, Fd pidfd) : pid_(pid), host_pid_(host_pid), pidfd_(std::move(pidfd)) {}

    pid_t pid_ = 0;
    pid_t host_pid_ = 0;
    Fd pidfd_;
};

} // namespace hrun::qemu
