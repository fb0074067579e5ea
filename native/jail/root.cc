// SPDX-License-Identifier: Apache-2.0
// pivot_root(2), open_tree(2), mount_setattr(2): by descriptors only, no path that somebody could exchange.
#include "jail/root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace hrun::jail {

Result<void> make_mounts_private() {
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
        return Error::last("make mounts private");
    return {};
}

namespace {

// A copy of the mount at `name` below `parent`, over itself; what is mounted there is in its way from now on.
Result<Fd> mount_over(int parent, const char* name, uint64_t attributes) {
    const int at = *name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;
    Fd tree(open_tree(parent, name, at | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (!tree.valid())
        return Error::last("copy the mount of the directory");
    mount_attr restricted{};
    restricted.attr_set = attributes;
    if (mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &restricted, sizeof restricted) < 0)
        return Error::last("restrict the mount of the directory");
    const unsigned to = MOVE_MOUNT_F_EMPTY_PATH | (*name ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
    if (move_mount(tree.get(), "", parent, name, to) < 0)
        return Error::last("mount the directory");
    return tree;
}

} // namespace

Result<void> confine_to_working_directory(const char* read_only) {
    constexpr uint64_t kRestricted = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    auto root = mount_over(AT_FDCWD, "", kRestricted);
    if (!root)
        return root.error();
    if (read_only) {
        if (auto part = mount_over(root->get(), read_only, kRestricted | MOUNT_ATTR_RDONLY); !part)
            return part.error();
    }
    return change_root(*root);
}

// "." over ".": the old root lies under the new one until it is unmounted, and needs no directory of its own.
Result<void> change_root(const Fd& mount) {
    if (fchdir(mount.get()) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return Error::last("change the root");
    if (umount2(".", MNT_DETACH) < 0)
        return Error::last("leave the old root");
    if (chdir("/") < 0)
        return Error::last("enter the new root");
    return {};
}

} // namespace hrun::jail
