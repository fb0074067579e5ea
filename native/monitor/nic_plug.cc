// SPDX-License-Identifier: Apache-2.0
#include "monitor/nic_plug.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <variant>

#include "base/passed_descriptors.h"
#include "base/unix_socket.h"
#include "monitor/announced_names.h"
#include "monitor/container.h"
#include "monitor/control_server.h"
#include "monitor/frames.h"
#include "monitor/nic.h"

namespace hrun::monitor {

namespace {

constexpr int kAnswerMilliseconds = 10000;

Result<std::string> whole_path(const char* directory) {
    char resolved[PATH_MAX];
    if (!realpath(directory, resolved))
        return Error::last(std::string("open ") + directory);
    return std::string(resolved);
}

Result<Fd> connect_monitor(const std::string& path) {
    const Fd directory(open(path.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    if (!directory.valid())
        return Error::last("open " + path);
    return connect_unix(directory.get(), ControlServer::kName);
}

Result<void> send_frame(int socket, std::string bytes, const std::vector<int>& descriptors = {}) {
    const iovec part{bytes.data(), bytes.size()};
    const Result<void> sent = send_passing(socket, {&part, 1}, descriptors, 0);
    return sent ? sent : Error{sent.error().code, "ask the container's monitor"};
}

// PLUGGED, or the ERROR that came instead.
Result<void> await_answer(int socket) {
    FrameReader reader;
    std::optional<Result<void>> answer;
    const auto take = [&answer](const Frame& frame) -> Result<void> {
        hrun_error error;
        if (frame.type == HRUN_PLUGGED)
            answer.emplace();
        if (frame.type == HRUN_ERROR && frame.payload.size() >= sizeof error) {
            frame.payload.copy(reinterpret_cast<char*>(&error), sizeof error);
            answer.emplace(Error{static_cast<int>(error.error_number & INT_MAX),
                                 std::string(frame.payload.substr(sizeof error))});
        }
        return {};
    };
    while (!answer) {
        pollfd source{socket, POLLIN, 0};
        if (poll(&source, 1, kAnswerMilliseconds) <= 0)
            return Error{ETIMEDOUT, "ask the container's monitor"};
        auto more = reader.read(socket, take);
        if (!more)
            return more.error();
        if (!*more && !answer)
            return Error{ECONNRESET, "ask the container's monitor"};
    }
    return *answer;
}

Result<void> ask(const std::string& path, std::string request, const std::vector<int>& descriptors = {}) {
    auto socket = connect_monitor(path);
    if (!socket)
        return socket.error();
    HRUN_TRY(send_frame(socket->get(), hello_frame()));
    HRUN_TRY(send_frame(socket->get(), std::move(request), descriptors));
    return await_answer(socket->get());
}

Result<NicConfig> find_nic(const std::string& path, unsigned slot) {
    const Fd directory(open(path.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    const auto config = read_config(directory.get());
    if (const auto* mistake = std::get_if<std::string>(&config))
        return Error{EINVAL, path + ": " + *mistake};
    for (const NicConfig& nic : std::get<Config>(config).nics)
        if (nic.slot == slot)
            return nic;
    return Error{ENOENT, "find a network interface of slot " + std::to_string(slot)};
}

} // namespace

Result<void> plug(const char* directory, unsigned slot) {
    auto path = whole_path(directory);
    if (!path)
        return path.error();
    auto config = find_nic(*path, slot);
    if (!config)
        return config.error();
    auto tap = open_tap(*config);
    if (!tap)
        return tap.error().code == EBUSY ? Result<void>() : tap.error();
    std::vector<int> descriptors{tap->get()};
    auto record = announce_for_monitor(*config, *path);
    if (!record)
        return record.error();
    if (record->valid())
        descriptors.push_back(record->get());
    hrun_plug request{slot, config->mtu, {}, 0};
    std::copy(config->mac.begin(), config->mac.end(), request.mac);
    return ask(*path, frame_of(HRUN_PLUG, request), descriptors);
}

Result<void> unplug(const char* directory, unsigned slot) {
    auto path = whole_path(directory);
    if (!path)
        return path.error();
    return ask(*path, frame_of(HRUN_UNPLUG, uint32_t{slot}));
}

} // namespace hrun::monitor
