// SPDX-License-Identifier: Apache-2.0
// A control group for one VM and its monitor, in whatever the host has: version 1, version 2 or both.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "jail/cgroup_limits.h"

namespace hrun::jail {

class Cgroup {
  public:
    // Makes the group hrun/<name> with its limits. The error says why this host or user has none.
    static Result<Cgroup> create(const std::string& name, const Resources& resources);

    // Sets limits of the group hrun/<name> in which a process stands; returns the names of those that cannot be set.
    static std::string limit(const std::string& name, pid_t pid, Resources wanted);

    // Limits that were asked for and that this host cannot set, for example "memory, cpu"; empty when all are in force.
    const std::string& missing() const { return missing_; }
    // Moves a process, with all its threads, into the group. Not while it creates a VM: KVM is slow in a group that has
    // just been made.
    Result<void> add(pid_t pid);
    // Removes the group once its processes are gone, and such groups as killed monitors have left, unless some VM starts just now.
    void remove();

  private:
    Cgroup(std::string name, Resources resources) : name_(std::move(name)), resources_(resources) {}
    Result<void> make();

    std::string name_;
    Resources resources_;
    std::string missing_;
    std::vector<std::string> directories_; // one per hierarchy that is needed
    std::vector<std::string> places_;      // where groups are made, in every hierarchy
    std::vector<Fd> locks_; // of places, shared: nobody sweeps there before our group has a process
};

} // namespace hrun::jail
