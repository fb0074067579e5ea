// SPDX-License-Identifier: Apache-2.0
// Where this process stands in the host's control groups: version 1 (a tree per controller), version 2 (one tree) or both.
#pragma once

#include <string>
#include <vector>

namespace hrun::jail {

struct Hierarchy {
    bool unified;                         // version 2
    std::vector<std::string> controllers; // version 1: what it is mounted with; version 2: what it has
    std::string mount_point;
    std::string own; // directory of this process's group, at or below mount_point

    bool has(const std::string& controller) const;
};

// As `process` of /proc stands in those that are mounted and have a controller that we use (memory, cpu, cpuacct, pids, cpuset, blkio or io).
std::vector<Hierarchy> find_hierarchies(const std::string& process = "self");

// The same from the text of /proc/self/cgroup and /proc/self/mountinfo; version 2's controllers stay empty.
std::vector<Hierarchy> parse_hierarchies(const std::string& cgroup, const std::string& mountinfo);

} // namespace hrun::jail
