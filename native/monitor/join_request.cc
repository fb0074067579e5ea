// SPDX-License-Identifier: Apache-2.0
#include "monitor/join_request.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "base/passed_descriptors.h"
#include "base/unix_socket.h"
#include "monitor/control_server.h"
#include "monitor/frames.h"

namespace hrun::monitor {

namespace {

Result<void> send_frame(int socket, std::string bytes, std::vector<int> descriptors = {}) {
    const iovec part{bytes.data(), bytes.size()};
    const Result<void> sent = send_passing(socket, {&part, 1}, descriptors, MSG_DONTWAIT);
    return sent ? sent
                : Error{sent.error().code, "cannot ask for a place in the machine of another container"};
}

Result<Fd> connect_to(const HostConfig& host) {
    const Fd directory(open(host.directory.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!directory.valid())
        return Error{errno, "No such container: " + host.name};
    auto socket = connect_unix(directory.get(), ControlServer::kName);
    if (!socket)
        return Error{socket.error().code, "cannot join network of a non running container: " + host.name};
    return socket;
}

} // namespace

Result<Fd> ask_to_join(const HostConfig& host, const std::vector<DiskConfig>& disks,
                       std::vector<Result<Fd>>& files) {
    uint32_t read_only = 0;
    for (size_t i = 0; i < disks.size(); ++i) {
        if (!files[i])
            return Error{files[i].error().code, files[i].error().message()};
        read_only |= disks[i].read_only ? uint32_t{1} << i : 0;
    }
    auto socket = connect_to(host);
    if (!socket)
        return socket;
    HRUN_TRY(send_frame(socket->get(), hello_frame()));
    for (auto& file : files)
        HRUN_TRY(send_frame(socket->get(), frame(HRUN_DISK), {file->get()}));
    HRUN_TRY(send_frame(socket->get(), frame_of(HRUN_JOIN, read_only)));
    return socket;
}

} // namespace hrun::monitor
