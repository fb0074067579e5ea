// SPDX-License-Identifier: Apache-2.0
#include "jail/program_root.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jail/root.h"

namespace hrun::jail {

namespace {

constexpr const char* kSystemDirectories[] = {"bin", "lib", "lib32", "lib64", "libx32", "usr"};
constexpr const char* kLinkerCache = "/etc/ld.so.cache";
constexpr uint64_t kReadOnly = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

// A tmpfs, mounted and entered; its descriptor is its root.
Result<Fd> mount_empty(const std::string& mount_point) {
    const Fd context(fsopen("tmpfs", FSOPEN_CLOEXEC));
    if (!context.valid() || fsconfig(context.get(), FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
        fsconfig(context.get(), FSCONFIG_SET_STRING, "size", "1m", 0) < 0 ||
        fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
        return Error::last("make an empty root");
    Fd root(fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
    if (!root.valid() ||
        move_mount(root.get(), "", AT_FDCWD, mount_point.c_str(), MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
        fchdir(root.get()) < 0)
        return Error::last("mount an empty root");
    return root;
}

Result<void> write_file(const std::string& name, const std::string& bytes) {
    const Fd file(open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
    if (!file.valid() || write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
        return Error::last("write /" + name + " of the program's root");
    return {};
}

// Shows the host's `source` as `target`, a path below the new root that is there already.
Result<void> show(const std::string& source, const std::string& target, uint64_t attributes) {
    const Fd tree(open_tree(AT_FDCWD, source.c_str(), AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    mount_attr set{};
    set.attr_set = attributes;
    if (!tree.valid() || mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &set, sizeof set) < 0 ||
        move_mount(tree.get(), "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return Error::last("show " + source + " in the program's root");
    return {};
}

// Makes the directories above `path`, which is relative.
void make_parents(const std::string& path) {
    for (size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1))
        mkdir(path.substr(0, slash).c_str(), 0755); // what is wrong with it shows when it is used
}

Result<void> make_directory(const std::string& name) {
    if (mkdir(name.c_str(), 0755) < 0)
        return Error::last("make /" + name + " of the program's root");
    return {};
}

Result<void> show_path(const std::string& source, const std::string& name, uint64_t attributes) {
    struct stat st;
    make_parents(name);
    const bool directory = stat(source.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
    HRUN_TRY(directory ? make_directory(name) : write_file(name, {}));
    return show(source, name, attributes);
}

// Where /lib is a link into /usr it becomes the same link.
Result<void> show_system_directory(const std::string& name) {
    const std::string source = "/" + name;
    struct stat st;
    if (lstat(source.c_str(), &st) < 0)
        return {};
    if (S_ISDIR(st.st_mode))
        return show_path(source, name, kReadOnly);
    char target[PATH_MAX]{};
    if (readlink(source.c_str(), target, sizeof target - 1) < 0 || symlink(target, name.c_str()) < 0)
        return Error::last("link " + source + " in the program's root");
    return {};
}

Result<void> fill(const std::string& program, const std::vector<RootFile>& files,
                  const std::vector<std::string>& devices) {
    for (const char* name : kSystemDirectories)
        HRUN_TRY(show_system_directory(name));
    if (access(kLinkerCache, R_OK) == 0)
        HRUN_TRY(show_path(kLinkerCache, kLinkerCache + 1, kReadOnly | MOUNT_ATTR_NOEXEC));
    if (!program.starts_with("/usr/") && !program.starts_with("/bin/"))
        HRUN_TRY(show_path(program, program.substr(1), kReadOnly));
    for (const RootFile& file : files)
        HRUN_TRY(file.source.empty()
                     ? write_file(file.name, file.bytes)
                     : show_path(file.source, file.name,
                                 file.executable ? kReadOnly : kReadOnly | MOUNT_ATTR_NOEXEC));
    for (const std::string& device : devices)
        HRUN_TRY(show_path(device, device.substr(1), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
    return {};
}

} // namespace

Result<void> enter_program_root(const std::string& mount_point, const std::string& program,
                                const std::vector<RootFile>& files, const std::vector<std::string>& devices) {
    if (unshare(CLONE_NEWNS) < 0)
        return Error::last("create a mount namespace");
    HRUN_TRY(make_mounts_private());
    auto root = mount_empty(mount_point);
    if (!root)
        return root.error();
    HRUN_TRY(fill(program, files, devices));
    mount_attr read_only{};
    read_only.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    if (mount_setattr(root->get(), "", AT_EMPTY_PATH, &read_only, sizeof read_only) < 0)
        return Error::last("make the program's root read-only");
    return change_root(*root);
}

} // namespace hrun::jail
