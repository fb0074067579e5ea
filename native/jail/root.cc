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

Result<void> confine_to_working_directory() {
    const Fd tree(
        open_tree(AT_FDCWD, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (!tree.valid())
        return Error::last("copy the mount of the directory");
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) < 0)
        return Error::last("restrict the mount of the directory");
    if (move_mount(tree.get(), "", AT_FDCWD, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        return Error::last("mount the directory");
    return change_root(tree);
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
