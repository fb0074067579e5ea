// SPDX-License-Identifier: Apache-2.0
// A thread's system-call filter (seccomp(2)). All are compiled when hrun is built (filter_compiler.cc): libseccomp takes a
// millisecond for them, which is much of a VM's start.
#pragma once

#include <linux/filter.h>

#include <span>
#include <vector>

#include "base/result.h"
#include "jail/system_calls.h"

namespace hrun::jail {

class Filter {
  public:
    // The list of `kind` for threads of the process `self`. What is not on it raises SIGSYS in the thread (violation.h), a
    // system call of another architecture kills the process.
    static Filter of_thread(ThreadKind kind, pid_t self);
    // For a program under our care (denied_calls.h): what is denied fails with EPERM.
    static Filter of_program();
    // For a program that goes on from its image (freeze/thaw.cc), on top of that: it starts threads, but no processes, and keeps the users and
    // the priority that it has.
    static Filter of_thawed();

    // For the calling thread and those that it starts, for good. no_new_privs must be set.
    Result<void> install() const;

  private:
    explicit Filter(std::span<const sock_filter> program) : program_(program.begin(), program.end()) {}

    std::vector<sock_filter> program_;
};

} // namespace hrun::jail
