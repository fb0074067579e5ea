// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "roles.h"

namespace hrun::bench {

namespace {

Result<Fd> connect_to(const std::string& path) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (path.size() >= sizeof address.sun_path)
        return Error{ENAMETOOLONG, "connect to " + path};
    path.copy(address.sun_path, path.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        return Error::last("connect to " + path);
    return socket;
}

Result<void> ask_for(int socket, uint32_t port) {
    const std::string request = "CONNECT " + std::to_string(port) + "\n";
    if (send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0)
        return Error::last("ask for port " + std::to_string(port));
    for (char byte = 0; byte != '\n';)
        if (recv(socket, &byte, 1, 0) != 1)
            return Error{ECONNREFUSED, "connect to port " + std::to_string(port)};
    return {};
}

Result<void> exchange(int socket, char what, uint64_t bytes) {
    std::vector<char> buffer(1 << 20);
    for (uint64_t done = 0; done < bytes;) {
        const size_t most = std::min<uint64_t>(buffer.size(), bytes - done);
        ssize_t count = what == 'd' ? send(socket, buffer.data(), std::min<size_t>(most, 65536), MSG_NOSIGNAL)
                                    : recv(socket, buffer.data(), most, 0);
        if (what == 'p' && count > 0)
            count = send(socket, buffer.data(), static_cast<size_t>(count), MSG_NOSIGNAL);
        if (count <= 0)
            return Error{count < 0 ? errno : EPIPE, "exchange bytes with the guest"};
        done += static_cast<uint64_t>(count);
    }
    return {};
}

Result<void> run(const std::string& path, uint32_t port, char what, uint64_t bytes) {
    Result<Fd> socket = connect_to(path);
    if (!socket)
        return socket.error();
    if (port != 0)
        HRUN_TRY(ask_for(socket->get(), port));
    HRUN_TRY(exchange(socket->get(), what, bytes));
    shutdown(socket->get(), SHUT_WR);
    char byte;
    while (port != 0 && recv(socket->get(), &byte, 1, 0) > 0) { // the guest hangs up when it is done
    }
    return {};
}

} // namespace

int run_peer(const std::string& path, uint32_t port, char what, uint64_t bytes) {
    const Result<void> ran = run(path, port, what, bytes);
    if (!ran)
        fprintf(stderr, "peer: %s\n", ran.error().message().c_str());
    return ran ? 0 : 1;
}

} // namespace hrun::bench
