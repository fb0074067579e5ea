// SPDX-License-Identifier: Apache-2.0
#include "monitor/state_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/fd.h"

namespace hrun::monitor {

std::string to_json(const State& state) {
    nlohmann::ordered_json json{{"version", 1},
                                {"status", state.status},
                                {"monitorPid", state.monitor_pid},
                                {"vmmPid", state.vmm_pid},
                                {"startedAt", state.started_at},
                                {"finishedAt", state.finished_at},
                                {"exitCode", state.exit_code},
                                {"signal", state.signal},
                                {"oomKilled", state.oom_killed}};
    if (state.error)
        json["error"] = {{"kind", state.error->kind}, {"message", state.error->message}};
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<void> write_state(int directory, const State& state) {
    constexpr const char* kTemporary = "state.json.new";
    const std::string text = to_json(state);
    const bool durable = state.status == "exited";
    const Fd file(openat(directory, kTemporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file.valid())
        return Error::last("write state.json");
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size())) {
        const Error error = written < 0 ? Error::last("write state.json") : Error{ENOSPC, "write state.json"};
        unlinkat(directory, kTemporary, 0);
        return error;
    }
    if (durable && fsync(file.get()) < 0)
        return Error::last("sync state.json");
    if (renameat(directory, kTemporary, directory, "state.json") < 0)
        return Error::last("replace state.json");
    if (durable && fsync(directory) < 0)
        return Error::last("sync the container's directory");
    return {};
}

} // namespace hrun::monitor
