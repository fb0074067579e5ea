// SPDX-License-Identifier: Apache-2.0
#include "monitor/share_daemon.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <climits>

#include "base/directory.h"
#include "base/unix_socket.h"
#include "monitor/shared_paths.h"

namespace hrun::monitor {

namespace {

constexpr char kSocket[] = "share.sock";
constexpr char kPlace[] = "shares"; // in the container's directory: empty, for others than the daemon

// The daemon accepts one connection, which is there before it starts: its name can go.
struct Connection {
    Fd listener;
    Fd machine;
};

Result<Connection> connect_machine(int directory) {
    auto listener = listen_unix(directory, kSocket);
    if (!listener)
        return listener.error();
    auto machine = connect_unix(directory, kSocket);
    unlinkat(directory, kSocket, 0);
    if (!machine)
        return machine.error();
    // virtiofsd waits in accept(2).
    if (fcntl(listener->get(), F_SETFL, 0) < 0)
        return Error::last("prepare the socket of the shares");
    return Connection{std::move(*listener), std::move(*machine)};
}

Result<std::string> make_place(int directory) {
    if (mkdirat(directory, kPlace, 0700) < 0 && errno != EEXIST)
        return Error::last("make the directory of the shares");
    const Fd place(openat(directory, kPlace, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!place.valid())
        return Error::last("find the directory of the shares");
    return path_of_directory(place.get());
}

// The daemon has a descriptor for every file that the guest remembers, and a guest with a cache remembers all that fit into its
// memory. A host that does not let the daemon have so many has no cache: files could not be opened any more.
bool allows_cache() {
    constexpr rlim_t kFiles = 1000000; // as virtiofsd asks for
    rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return false;
    const rlimit raised{limit.rlim_cur, kFiles};
    return limit.rlim_max >= kFiles || setrlimit(RLIMIT_NOFILE, &raised) == 0;
}

// cache=auto with a timeout of 0: what the host or another container changes is seen at once, and files can be mapped. With
// `cached` it is seen after a second at most, and a name is not asked for again within it.
// Locks and attributes are the host's, so containers that share a directory agree on them.
std::vector<std::string> command_line(const ShareConfig& config, const std::string& place) {
    return {config.daemon, "--fd=" + std::to_string(qemu::Process::kFirstFd),
            "-o",          "source=" + place,
            "-o",          "sandbox=namespace,announce_submounts,log_level=warn",
            "-o",          config.cached && allows_cache() ? "cache=auto,timeout=1" : "cache=auto,timeout=0",
            "-o",          "flock,posix_lock,xattr,posix_acl"};
}

} // namespace

SharedDirectories ShareDaemon::start(int directory, const ShareConfig& config) {
    auto started = try_start(directory, config);
    if (started)
        return std::move(*started);
    return {{}, {}, started.error()};
}

Result<SharedDirectories> ShareDaemon::try_start(int directory, const ShareConfig& config) {
    auto mounts = open_shared_paths(config.paths);
    if (!mounts)
        return mounts.error();
    auto place = make_place(directory);
    if (!place)
        return place.error();
    auto connection = connect_machine(directory);
    if (!connection)
        return connection.error();
    const int fds[] = {connection->listener.get()};
    auto process = qemu::Process::spawn(command_line(config, *place), STDERR_FILENO, fds,
                                        [&] { return attach_shared_paths(*mounts, *place); });
    if (!process)
        return process.error();
    process_ = std::move(*process);
    return SharedDirectories{std::move(connection->machine), Fd(fcntl(process_.pidfd(), F_DUPFD_CLOEXEC, 0)),
                             std::nullopt};
}

} // namespace hrun::monitor
