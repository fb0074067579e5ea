// SPDX-License-Identifier: Apache-2.0
// Linux, Documentation/admin-guide/cgroup-v1 (memory, cpusets, blkio-controller) and cgroup-v2.rst.
#include "jail/cgroup_limits.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/fd.h"

namespace hrun::jail {

namespace {

constexpr uint64_t kDefaultShares = 1024, kDefaultWeight = 100;
constexpr const char* kForEveryVm[] = {"memory", "cpu", "cpuacct", "pids"};

std::string read_line(const std::string& path) {
    std::string line;
    std::getline(std::ifstream(path), line);
    return line;
}

// Version 1 counts memory and swap together, and wants their limit never below memory's own.
bool set_memory_v1(const std::string& directory, Resources& wanted) {
    const std::string both = directory + "/memory.memsw.limit_in_bytes";
    if (wanted.swap_max)
        write_cgroup_file(both, "-1");
    if (!write_cgroup_file(directory + "/memory.limit_in_bytes", std::to_string(wanted.memory_max)))
        return false;
    if (wanted.swap_max && write_cgroup_file(both, std::to_string(wanted.memory_max + *wanted.swap_max)))
        wanted.swap_max.reset();
    return true;
}

bool set_memory_v2(const std::string& directory, Resources& wanted) {
    if (wanted.swap_max &&
        write_cgroup_file(directory + "/memory.swap.max", std::to_string(*wanted.swap_max)))
        wanted.swap_max.reset();
    return write_cgroup_file(directory + "/memory.max", std::to_string(wanted.memory_max));
}

bool set_cpu(const Hierarchy& hierarchy, const std::string& directory, const Resources& wanted) {
    const std::string period = std::to_string(wanted.cpu_period);
    const std::string quota = std::to_string(wanted.cpu_max);
    if (hierarchy.unified)
        return write_cgroup_file(directory + "/cpu.max", (wanted.cpu_max ? quota : "max") + " " + period);
    return write_cgroup_file(directory + "/cpu.cfs_period_us", period) &&
           write_cgroup_file(directory + "/cpu.cfs_quota_us", wanted.cpu_max ? quota : "-1");
}

// Version 2 has weights: 2, 1024 and 262144 shares are 1, 100 and 10000, and what is between lies on the parabola of their logarithms, as runc
// and crun have it.
uint64_t weight_of(uint64_t shares) {
    const double doublings = std::log2(static_cast<double>(shares));
    return static_cast<uint64_t>(
        std::ceil(std::pow(10, (doublings * doublings + 125 * doublings) / 612 - 7.0 / 34)));
}

bool set_shares(const Hierarchy& hierarchy, const std::string& directory, uint64_t shares) {
    if (hierarchy.unified)
        return write_cgroup_file(directory + "/cpu.weight",
                                 std::to_string(shares ? weight_of(shares) : kDefaultWeight));
    return write_cgroup_file(directory + "/cpu.shares", std::to_string(shares ? shares : kDefaultShares));
}

// A new group of version 1 has neither CPUs nor memory nodes, and no process may join it until it has both.
void inherit_cpuset(const std::string& above, const std::string& directory) {
    for (const char* file : {"/cpuset.cpus", "/cpuset.mems"})
        if (read_line(directory + file).empty())
            write_cgroup_file(directory + file, read_line(above + file));
}

bool set_cpus(const Hierarchy& hierarchy, const std::string& directory, const std::string& cpus) {
    if (!hierarchy.unified) {
        const std::string place = directory.substr(0, directory.rfind('/'));
        inherit_cpuset(hierarchy.own, place);
        inherit_cpuset(place, directory);
    }
    return write_cgroup_file(directory + "/cpuset.cpus", cpus);
}

bool throttle_v1(const std::string& directory, const DeviceLimits& limits) {
    const auto set = [&](const char* file, uint64_t limit) {
        return limit == 0 || write_cgroup_file(directory + "/blkio.throttle." + file,
                                               limits.device + " " + std::to_string(limit));
    };
    return set("read_bps_device", limits.read_bps) && set("write_bps_device", limits.write_bps) &&
           set("read_iops_device", limits.read_iops) && set("write_iops_device", limits.write_iops);
}

bool throttle_v2(const std::string& directory, const DeviceLimits& limits) {
    std::string line = limits.device;
    const auto add = [&line](const char* name, uint64_t limit) {
        if (limit)
            line += std::string(" ") + name + "=" + std::to_string(limit);
    };
    add("rbps", limits.read_bps);
    add("wbps", limits.write_bps);
    add("riops", limits.read_iops);
    add("wiops", limits.write_iops);
    return write_cgroup_file(directory + "/io.max", line);
}

void throttle_devices(const Hierarchy& hierarchy, const std::string& directory, Resources& wanted) {
    std::erase_if(wanted.devices, [&](const DeviceLimits& limits) {
        return hierarchy.unified ? throttle_v2(directory, limits) : throttle_v1(directory, limits);
    });
}

const char* io_controller(const Hierarchy& hierarchy) {
    return hierarchy.unified ? "io" : "blkio";
}

} // namespace

bool write_cgroup_file(const std::string& path, const std::string& text) {
    const Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return file.valid() && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool is_needed(const Hierarchy& hierarchy, const Resources& wanted) {
    return std::any_of(std::begin(kForEveryVm), std::end(kForEveryVm),
                       [&](const char* controller) { return hierarchy.has(controller); }) ||
           (!wanted.cpus.empty() && hierarchy.has("cpuset")) ||
           (!wanted.devices.empty() && hierarchy.has(io_controller(hierarchy)));
}

void enable_controllers(const std::string& place, const Resources& wanted) {
    std::vector<const char*> controllers{"+memory", "+cpu", "+pids"};
    if (!wanted.cpus.empty())
        controllers.push_back("+cpuset");
    if (!wanted.devices.empty())
        controllers.push_back("+io");
    const std::string above = place.substr(0, place.rfind('/'));
    for (const std::string& directory : {above, place})
        for (const char* controller : controllers)
            write_cgroup_file(directory + "/cgroup.subtree_control", controller);
}

void set_limits(const Hierarchy& hierarchy, const std::string& directory, Resources& wanted) {
    const auto set_memory = hierarchy.unified ? set_memory_v2 : set_memory_v1;
    if (wanted.memory_max && hierarchy.has("memory") && set_memory(directory, wanted))
        wanted.memory_max = 0;
    // Also where there is none: a running VM may have had one.
    if (hierarchy.has("cpu") && set_cpu(hierarchy, directory, wanted))
        wanted.cpu_max = 0;
    if (hierarchy.has("cpu") && set_shares(hierarchy, directory, wanted.cpu_shares))
        wanted.cpu_shares = 0;
    if (wanted.pids_max && hierarchy.has("pids") &&
        write_cgroup_file(directory + "/pids.max", std::to_string(wanted.pids_max)))
        wanted.pids_max = 0;
    if (!wanted.cpus.empty() && hierarchy.has("cpuset") && set_cpus(hierarchy, directory, wanted.cpus))
        wanted.cpus.clear();
    if (hierarchy.has(io_controller(hierarchy)))
        throttle_devices(hierarchy, directory, wanted);
}

std::string names_of(const Resources& resources) {
    std::string names;
    const auto add = [&names](bool limited, const char* name) {
        if (limited)
            names += (names.empty() ? "" : ", ") + std::string(name);
    };
    add(resources.memory_max, "memory");
    add(resources.swap_max.has_value(), "swap");
    add(resources.cpu_max, "cpu");
    add(resources.cpu_shares, "cpu shares");
    add(resources.pids_max, "pids");
    add(!resources.cpus.empty(), "cpuset");
    add(!resources.devices.empty(), "devices");
    return names;
}

} // namespace hrun::jail
