// SPDX-License-Identifier: Apache-2.0
#include "monitor/nic_plug.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <variant>

#include "base/unix_socket.h"
#include "monitor/announced_names.h"
#include "monitor/container.h"
#include "monitor/control_server.h"
#include "monitor/monitor_call.h"
#include "monitor/nic.h"

namespace hrun::monitor {

namespace {

constexpr int kAnswerMilliseconds = 10000;

Result<void> ask(const std::string& path, std::string request, const std::vector<int>& descriptors = {}) {
    auto call = MonitorCall::begin(path);
    if (!call)
        return call.error();
    HRUN_TRY(call->send(std::move(request), descriptors));
    auto answer = call->await(HRUN_PLUGGED, kAnswerMilliseconds);
    return answer ? Result<void>() : answer.error();
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
    auto taps = open_tap(*config);
    if (!taps)
        return taps.error().code == EBUSY ? Result<void>() : taps.error();
    std::vector<int> descriptors;
    for (const Fd& tap : *taps)
        descriptors.push_back(tap.get());
    auto record = announce_for_monitor(*config, *path);
    if (!record)
        return record.error();
    if (record->valid())
        descriptors.push_back(record->get());
    hrun_plug request{slot, config->mtu, {}, static_cast<uint16_t>(taps->size() - 1)};
    std::copy(config->mac.begin(), config->mac.end(), request.mac);
    return ask(*path, frame_of(HRUN_PLUG, request), descriptors);
}

Result<void> unplug(const char* directory, unsigned slot) {
    auto path = whole_path(directory);
    if (!path)
        return path.error();
    return ask(*path, frame_of(HRUN_UNPLUG, uint32_t{slot}));
}

// The keeper is who listens at the control socket (monitor/keeper.h), of which the kernel tells: a monitor could have us believe anything.
Result<void> redirect_ports_of(const char* path) {
    const Fd directory(open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    if (!directory.valid())
        return Error::last(std::string("open ") + path);
    auto socket = connect_unix(directory.get(), ControlServer::kName);
    if (!socket)
        return socket.error().code == ENOENT || socket.error().code == ECONNREFUSED ? Result<void>()
                                                                                    : socket.error();
    ucred keeper{};
    socklen_t size = sizeof keeper;
    if (getsockopt(socket->get(), SOL_SOCKET, SO_PEERCRED, &keeper, &size) < 0 || keeper.pid <= 1)
        return Error{ESRCH, "find the container's keeper"};
    if (kill(keeper.pid, SIGHUP) < 0 && errno != ESRCH)
        return Error::last("tell the container's keeper");
    return {};
}

} // namespace hrun::monitor
