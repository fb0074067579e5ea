// SPDX-License-Identifier: Apache-2.0
// Linux, Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
#include "jail/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <memory>

namespace hrun::jail {

namespace {

constexpr const char* kParent = "/hrun";
constexpr int kTries = 20;
constexpr timespec kPause{0, 5000000};

bool make_directory(const std::string& path) {
    return mkdir(path.c_str(), 0755) == 0 || errno == EEXIST;
}

// Version 2: processes stand in leaves only, so the group cannot be below our own. Root's is at the top, as other engines'
// are; a user's is where the user may make groups: the part of the tree that was delegated.
std::string place_for(const Hierarchy& hierarchy) {
    if (!hierarchy.unified)
        return hierarchy.own + kParent;
    if (geteuid() == 0)
        return hierarchy.mount_point + kParent;
    std::string directory = hierarchy.own;
    while (directory.size() > hierarchy.mount_point.size()) {
        directory.erase(directory.rfind('/'));
        if (access(directory.c_str(), W_OK) == 0 && access((directory + "/cgroup.procs").c_str(), W_OK) == 0)
            return directory + kParent;
    }
    return {};
}

// Invalid when the place is not there, or others have it locked otherwise for as long as we try: whoever may read it can lock it, and
// is not to hold up anybody.
Fd lock_place(const std::string& place, int operation, int tries) {
    Fd directory(open(place.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    for (int i = 0; directory.valid() && flock(directory.get(), operation | LOCK_NB) < 0; ++i)
        if (i + 1 < tries)
            nanosleep(&kPause, nullptr);
        else
            directory.reset();
    return directory;
}

// A group with processes stays: rmdir(2) fails with EBUSY.
void remove_empty_groups(const std::string& parent) {
    struct Close {
        void operator()(DIR* open) const { closedir(open); }
    };
    const Fd lock = lock_place(parent, LOCK_EX, 1);
    if (!lock.valid())
        return;
    const std::unique_ptr<DIR, Close> directory(opendir(parent.c_str()));
    while (const dirent* entry = directory ? readdir(directory.get()) : nullptr)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            rmdir((parent + "/" + entry->d_name).c_str());
}

} // namespace

Result<Cgroup> Cgroup::create(const std::string& name, const Resources& resources) {
    Cgroup group(name, resources);
    HRUN_TRY(group.make());
    return group;
}

// Whoever asks may stand elsewhere in the tree than who made the group.
std::string Cgroup::limit(const std::string& name, pid_t pid, Resources wanted) {
    for (const Hierarchy& hierarchy : find_hierarchies(std::to_string(pid)))
        if (hierarchy.own.ends_with(std::string(kParent) + "/" + name))
            set_limits(hierarchy, hierarchy.own, wanted);
    return names_of(wanted);
}

Result<void> Cgroup::make() {
    Resources wanted = resources_;
    directories_.clear();
    places_.clear();
    locks_.clear();
    Error last{ENOENT, "find control groups"};
    for (const Hierarchy& hierarchy : find_hierarchies()) {
        const std::string place = place_for(hierarchy);
        places_.push_back(place);
        if (!is_needed(hierarchy, resources_))
            continue;
        if (place.empty() || !make_directory(place)) {
            last = place.empty() ? Error{EACCES, "make a control group in " + hierarchy.mount_point}
                                 : Error::last("make control group " + place);
            continue;
        }
        locks_.push_back(lock_place(place, LOCK_SH, kTries));
        if (hierarchy.unified)
            enable_controllers(place, resources_);
        const std::string directory = place + "/" + name_;
        if (!make_directory(directory)) {
            last = Error::last("make control group " + directory);
            continue;
        }
        set_limits(hierarchy, directory, wanted);
        directories_.push_back(directory);
    }
    missing_ = names_of(wanted);
    if (directories_.empty())
        return last;
    return {};
}

// Between two runs it is empty: another monitor at its end may have taken it for one that was left behind. Then it is made again.
Result<void> Cgroup::add(pid_t pid) {
    for (int attempt = 0; attempt < 2; ++attempt) {
        bool all = true;
        for (const std::string& directory : directories_)
            all = write_cgroup_file(directory + "/cgroup.procs", std::to_string(pid)) && all;
        if (all) {
            locks_.clear();
            return {};
        }
        const Error error = Error::last("move the VM into control group " + directories_.front());
        if (errno != ENOENT || attempt > 0)
            return error;
        HRUN_TRY(make());
    }
    return {};
}

void Cgroup::remove() {
    for (const std::string& directory : directories_)
        for (int i = 0; i < kTries && rmdir(directory.c_str()) < 0 && errno == EBUSY; ++i)
            nanosleep(&kPause, nullptr);
    locks_.clear();
    for (const std::string& place : places_)
        remove_empty_groups(place);
    directories_.clear();
}

} // namespace hrun::jail
