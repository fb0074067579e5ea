// SPDX-License-Identifier: Apache-2.0
// A thread's system-call filter (seccomp(2)): compiled once, installed by each thread that it is for.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "base/result.h"
#include "jail/system_calls.h"

namespace hrun::jail {

class Filter {
  public:
    // The list of `kind`. What is not on it raises SIGSYS in the thread (violation.h), a system call of another
    // architecture kills the process.
    static Result<Filter> compile(ThreadKind kind, pid_t self);

    // For the calling thread and those that it starts, for good. no_new_privs must be set.
    Result<void> install() const;

  private:
    friend Result<Filter> compile_program_filter();
    explicit Filter(std::vector<sock_filter> program) : program_(std::move(program)) {}

    std::vector<sock_filter> program_;
};

} // namespace hrun::jail
