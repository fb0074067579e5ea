// SPDX-License-Identifier: Apache-2.0
#include "monitor/shared_paths.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace hrun::monitor {

namespace {

constexpr unsigned kWhole = AT_EMPTY_PATH | AT_RECURSIVE;

Result<Fd> open_mount(const SharedPath& shared) {
    Fd mount(open_tree(AT_FDCWD, shared.path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_NODEV | (shared.read_only ? MOUNT_ATTR_RDONLY : 0);
    if (!mount.valid() || mount_setattr(mount.get(), "", kWhole, &attributes, sizeof attributes) < 0)
        return Error::last("share " + shared.path);
    return mount;
}

// What a mount is attached to has to be of its kind.
Result<void> make_place(int directory, const std::string& name, int mount) {
    struct stat st;
    if (fstat(mount, &st) < 0)
        return Error::last("look at shared path " + name);
    if (S_ISDIR(st.st_mode) && mkdirat(directory, name.c_str(), 0700) == 0)
        return {};
    if (!S_ISDIR(st.st_mode) &&
        Fd(openat(directory, name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600)).valid())
        return {};
    return Error::last("make a place for shared path " + name);
}

} // namespace

Result<std::vector<Fd>> open_shared_paths(const std::vector<SharedPath>& paths) {
    std::vector<Fd> mounts;
    for (const SharedPath& path : paths) {
        auto mount = open_mount(path);
        if (!mount)
            return mount.error();
        mounts.push_back(std::move(*mount));
    }
    return mounts;
}

Result<void> attach_shared_paths(const std::vector<Fd>& mounts, const std::string& place) {
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
        return Error::last("make mounts of its own");
    if (mount("hrun-shares", place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0)
        return Error::last("mount a tmpfs on " + place);
    const Fd directory(open(place.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!directory.valid())
        return Error::last("open " + place);
    for (size_t i = 0; i < mounts.size(); ++i) {
        const std::string name = std::to_string(i);
        HRUN_TRY(make_place(directory.get(), name, mounts[i].get()));
        if (move_mount(mounts[i].get(), "", directory.get(), name.c_str(), MOVE_MOUNT_F_EMPTY_PATH) < 0)
            return Error::last("attach shared path " + name);
    }
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (mount_setattr(directory.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0)
        return Error::last("make " + place + " read-only");
    return {};
}

} // namespace hrun::monitor
