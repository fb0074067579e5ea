// SPDX-License-Identifier: Apache-2.0
// cgroups(7), proc(5): /proc/self/cgroup has lines "number:controllers:path", /proc/self/mountinfo the mounts.
#include "jail/cgroup_hierarchies.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace hrun::jail {

namespace {

constexpr const char* kUsed[] = {"memory", "cpu", "cpuacct", "pids", "cpuset", "blkio", "io"};

std::string read_all(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);)
        if (!part.empty())
            parts.push_back(part);
    return parts;
}

std::vector<std::string> words_of(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return split(text, ' ');
}

// By the controllers as they stand there; version 2's line has none.
std::map<std::string, std::string> parse_own_paths(const std::string& cgroup) {
    std::map<std::string, std::string> paths;
    for (const std::string& line : split(cgroup, '\n')) {
        const size_t first = line.find(':');
        const size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
        if (second != line.npos)
            paths[line.substr(first + 1, second - first - 1)] = line.substr(second + 1);
    }
    return paths;
}

// A container may see only a part of the tree: `root` is what of it is mounted.
std::string directory_of(const std::string& mount_point, const std::string& root, std::string path) {
    if (root != "/" && path.starts_with(root))
        path.erase(0, root.size());
    return path.empty() || path == "/" ? mount_point : mount_point + path;
}

bool is_used(const Hierarchy& hierarchy) {
    return std::any_of(std::begin(kUsed), std::end(kUsed),
                       [&](const char* controller) { return hierarchy.has(controller); });
}

} // namespace

bool Hierarchy::has(const std::string& controller) const {
    return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

std::vector<Hierarchy> parse_hierarchies(const std::string& cgroup, const std::string& mountinfo) {
    const auto own = parse_own_paths(cgroup);
    std::vector<Hierarchy> found;
    for (const std::string& line : split(mountinfo, '\n')) {
        // number parent device root mount-point options [optional fields] - type source super-options
        const std::vector<std::string> words = split(line, ' ');
        const auto dash = std::find(words.begin(), words.end(), "-");
        if (words.size() < 6 || words.end() - dash < 4)
            continue;
        const std::string &root = words[3], &mount_point = words[4], &type = dash[1];
        for (const auto& [controllers, path] : own) {
            const std::vector<std::string> names = split(controllers, ',');
            const std::vector<std::string> options = split(dash[3], ',');
            const bool mounted = std::all_of(names.begin(), names.end(), [&](const std::string& name) {
                return std::find(options.begin(), options.end(), name) != options.end();
            });
            if (names.empty() ? type == "cgroup2" : type == "cgroup" && mounted)
                found.push_back({names.empty(), names, mount_point, directory_of(mount_point, root, path)});
        }
    }
    return found;
}

std::vector<Hierarchy> find_hierarchies(const std::string& process) {
    auto all = parse_hierarchies(read_all("/proc/" + process + "/cgroup"), read_all("/proc/self/mountinfo"));
    for (Hierarchy& hierarchy : all)
        if (hierarchy.unified)
            hierarchy.controllers = words_of(read_all(hierarchy.mount_point + "/cgroup.controllers"));
    std::erase_if(all, [](const Hierarchy& hierarchy) { return !is_used(hierarchy); });
    return all;
}

} // namespace hrun::jail
