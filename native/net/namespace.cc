// SPDX-License-Identifier: Apache-2.0
#include "net/namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "base/fd.h"

namespace hrun::net {

namespace {

Result<void> mount_own_namespace(const std::string& path) {
    if (mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr) < 0)
        return Error::last("make network namespace " + path);
    return {};
}

} // namespace

Result<void> create_namespace(const std::string& path) {
    const std::string directory = path.substr(0, path.rfind('/'));
    if (mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST)
        return Error::last("make " + directory);
    const Fd file(open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0));
    if (!file.valid())
        return Error::last("make network namespace " + path);
    auto made = in_new_namespace([&path] { return mount_own_namespace(path); });
    if (!made)
        unlink(path.c_str());
    return made;
}

Result<void> remove_namespace(const std::string& path) {
    if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
        return Error::last("remove network namespace " + path);
    if (unlink(path.c_str()) < 0 && errno != ENOENT)
        return Error::last("remove network namespace " + path);
    return {};
}

Result<void> in_namespace(const std::string& path, const std::function<Result<void>()>& body) {
    const Fd space(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!space.valid())
        return Error::last("open network namespace " + path);
    Result<void> done;
    std::thread([&] {
        if (setns(space.get(), CLONE_NEWNET) < 0)
            done = Error::last("enter network namespace " + path);
        else
            done = body();
    }).join();
    return done;
}

Result<void> in_new_namespace(const std::function<Result<void>()>& body) {
    Result<void> done;
    std::thread([&] {
        if (unshare(CLONE_NEWNET) < 0)
            done = Error::last("make a network namespace");
        else
            done = body();
    }).join();
    return done;
}

} // namespace hrun::net
