// SPDX-License-Identifier: Apache-2.0
// What a control group limits, and how versions 1 and 2 are told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "jail/cgroup_hierarchies.h"

namespace hrun::jail {

// Of one block device; 0: no limit.
struct DeviceLimits {
    std::string device; // "major:minor"
    uint64_t read_bps = 0;
    uint64_t write_bps = 0;
    uint64_t read_iops = 0;
    uint64_t write_iops = 0;

    bool operator==(const DeviceLimits&) const = default;
};

// 0 and empty: no limit.
struct Resources {
    uint64_t memory_max = 0;          // bytes
    std::optional<uint64_t> swap_max; // bytes that the host may swap out; needs memory_max
    uint64_t cpu_max = 0;             // microseconds of CPU time in each period
    uint64_t cpu_period = 100000;     // microseconds
    uint64_t cpu_shares = 0;          // when CPUs are short, of 1024 that others have: 2 to 262144
    uint64_t pids_max = 0;            // processes and threads
    std::string cpus;                 // that may be used, as cpuset(7) lists them: "0-2,7"
    std::vector<DeviceLimits> devices;

    bool operator==(const Resources&) const = default;
};

// False when there is no such file, or the kernel refuses the value.
bool write_cgroup_file(const std::string& path, const std::string& text);

// True when the hierarchy has a controller that every VM is counted by, or one that these limits need.
bool is_needed(const Hierarchy& hierarchy, const Resources& wanted);

// Version 2: lets the groups below `place`, and `place` itself, have the controllers. One that cannot be had is missed
// when a limit needs it.
void enable_controllers(const std::string& place, const Resources& wanted);

// Sets the limits of the group `directory`; what could be set is taken out of `wanted`.
void set_limits(const Hierarchy& hierarchy, const std::string& directory, Resources& wanted);

// For example "memory, CPUs"; empty without any.
std::string names_of(const Resources& resources);

} // namespace hrun::jail
