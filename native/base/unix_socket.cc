// SPDX-License-Identifier: Apache-2.0
#include "base/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

namespace hrun {

namespace {

constexpr int kBacklog = 128;
constexpr int kStream = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

Result<sockaddr_un> address_of(int directory, const std::string& name) {
    const std::string path =
        directory == AT_FDCWD ? name : "/proc/self/fd/" + std::to_string(directory) + "/" + name;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Error{ENAMETOOLONG, "name socket " + name};
    memcpy(address.sun_path, path.data(), path.size());
    return address;
}

} // namespace

Result<Fd> listen_unix(int directory, const std::string& name) {
    auto address = address_of(directory, name);
    if (!address)
        return address.error();
    if (unlinkat(directory, name.c_str(), 0) < 0 && errno != ENOENT)
        return Error::last("replace socket " + name);
    Fd fd(socket(AF_UNIX, kStream, 0));
    if (!fd.valid())
        return Error::last("create socket " + name);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) < 0)
        return Error::last("bind socket " + name);
    if (listen(fd.get(), kBacklog) < 0)
        return Error::last("listen on socket " + name);
    return fd;
}

namespace {

// The socket's path by its own descriptor, so that no symbolic link in its place leads elsewhere.
Result<sockaddr_un> address_of_socket(int directory, const std::string& name, Fd& socket) {
    if (directory == AT_FDCWD)
        return address_of(directory, name);
    struct stat status;
    socket.reset(openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!socket.valid() || fstat(socket.get(), &status) < 0)
        return Error::last("connect to socket " + name);
    if (!S_ISSOCK(status.st_mode))
        return Error{ENOTSOCK, "connect to socket " + name};
    return address_of(AT_FDCWD, "/proc/self/fd/" + std::to_string(socket.get()));
}

} // namespace

Result<Fd> connect_unix(int directory, const std::string& name) {
    Fd socket_file;
    auto address = address_of_socket(directory, name, socket_file);
    if (!address)
        return address.error();
    Fd fd(socket(AF_UNIX, kStream, 0));
    if (!fd.valid())
        return Error::last("create socket");
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) < 0)
        return Error::last("connect to socket " + name);
    return fd;
}

Result<Fd> accept_unix(int listener) {
    Fd fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid())
        return Error::last("accept connection");
    return fd;
}

Result<std::pair<Fd, Fd>> unix_pair() {
    int ends[2];
    if (socketpair(AF_UNIX, kStream, 0, ends) < 0)
        return Error::last("create socket pair");
    return std::pair(Fd(ends[0]), Fd(ends[1]));
}

} // namespace hrun
