// SPDX-License-Identifier: Apache-2.0
#include "monitor/monitor_call.h"

#include <fcntl.h>
#include <poll.h>

#include <climits>
#include <cstdlib>
#include <optional>

#include "base/passed_descriptors.h"
#include "base/unix_socket.h"
#include "monitor/control_server.h"

namespace hrun::monitor {

namespace {

constexpr char kAsking[] = "ask the container's monitor";

Error error_of(const Frame& frame) {
    hrun_error error{};
    frame.payload.copy(reinterpret_cast<char*>(&error), sizeof error);
    return {static_cast<int>(error.error_number & INT_MAX), std::string(frame.payload.substr(sizeof error))};
}

} // namespace

Result<MonitorCall> MonitorCall::begin(const std::string& path) {
    const Fd directory(open(path.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    if (!directory.valid())
        return Error::last("open " + path);
    auto socket = connect_unix(directory.get(), ControlServer::kName);
    if (!socket)
        return socket.error();
    MonitorCall call(std::move(*socket));
    HRUN_TRY(call.send(hello_frame()));
    return call;
}

Result<void> MonitorCall::send(std::string bytes, const std::vector<int>& descriptors) {
    const iovec part{bytes.data(), bytes.size()};
    const Result<void> sent = send_passing(socket_.get(), {&part, 1}, descriptors, 0);
    return sent ? sent : Error{sent.error().code, kAsking};
}

Result<std::vector<Fd>> MonitorCall::await(hrun_frame_type type, int milliseconds) {
    std::optional<Result<std::vector<Fd>>> answer;
    const auto take = [&](const Frame& frame) -> Result<void> {
        if (frame.type == type)
            answer.emplace(reader_.take_descriptors());
        else if (frame.type == HRUN_ERROR && frame.payload.size() >= sizeof(hrun_error))
            answer.emplace(error_of(frame));
        else if (frame.type == HRUN_GONE)
            answer.emplace(Error{ESRCH, "the container has ended"});
        return {};
    };
    while (!answer) {
        pollfd source{socket_.get(), POLLIN, 0};
        if (poll(&source, 1, milliseconds) <= 0)
            return Error{ETIMEDOUT, kAsking};
        auto more = reader_.read(socket_.get(), take);
        if (!more)
            return more.error();
        if (!*more && !answer)
            return Error{ECONNRESET, kAsking};
    }
    return std::move(*answer);
}

Result<std::string> whole_path(const char* directory) {
    char resolved[PATH_MAX];
    if (!realpath(directory, resolved))
        return Error::last(std::string("open ") + directory);
    return std::string(resolved);
}

} // namespace hrun::monitor
