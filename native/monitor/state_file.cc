// SPDX-License-Identifier: Apache-2.0
#include "monitor/state_file.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "base/fd.h"
#include "monitor/replace_file.h"

namespace hrun::monitor {

namespace {

constexpr char kNext[] = "state.json.new";
constexpr char kLast[] = "state.json.last"; // src/container/container-state.ts knows it too
constexpr off_t kLastBytes = 8192;          // more than a state with the longest message of an agent's

// `otherwise` also for a value of another type.
template <class T> T value_of(const nlohmann::json& object, const char* key, T otherwise) {
    const auto found = object.find(key);
    const bool fits = found != object.end() && found->type() == nlohmann::json(otherwise).type();
    return fits ? found->get<T>() : otherwise;
}

} // namespace

std::string to_json(const State& state) {
    nlohmann::ordered_json json{{"version", 1},
                                {"status", state.status},
                                {"monitorPid", state.monitor_pid},
                                {"vmmPid", state.vmm_pid},
                                {"startedAt", state.started_at},
                                {"finishedAt", state.finished_at},
                                {"exitCode", state.exit_code},
                                {"signal", state.signal},
                                {"oomKilled", state.oom_killed},
                                {"restartCount", state.restart_count},
                                {"stopped", state.stopped}};
    if (state.error)
        json["error"] = {{"kind", state.error->kind}, {"message", state.error->message}};
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<State> read_state(int directory) {
    char text[kLastBytes];
    const Fd file(openat(directory, "state.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    const ssize_t size = file.valid() ? read(file.get(), text, sizeof text) : -1;
    if (size < 0)
        return Error::last("read state.json");
    const auto json = nlohmann::json::parse(text, text + size, nullptr, false);
    if (!json.is_object())
        return Error{EBADMSG, "read state.json"};
    State state;
    const auto from = [&json](const char* key, auto otherwise) { return value_of(json, key, otherwise); };
    state.status = from("status", std::string());
    state.monitor_pid = static_cast<int>(from("monitorPid", 0u));
    state.started_at = from("startedAt", std::string());
    state.finished_at = from("finishedAt", std::string());
    state.exit_code = from("exitCode", 0u);
    state.signal = from("signal", 0u);
    state.oom_killed = from("oomKilled", false);
    state.restart_count = from("restartCount", 0u);
    state.stopped = from("stopped", false);
    if (const auto error = json.find("error"); error != json.end() && error->is_object())
        state.error =
            State::Failure{value_of(*error, "kind", 0u), value_of(*error, "message", std::string())};
    return state;
}

Result<void> reserve_last_state(int directory) {
    const Fd file = open_unplanted(directory, kLast);
    if (!file.valid())
        return Error::last("write state.json");
    if (const int error = posix_fallocate(file.get(), 0, kLastBytes); error != 0)
        return Error{error, "write state.json"};
    return {};
}

Result<void> write_state(int directory, const State& state) {
    const bool last = state.status == "exited";
    return replace_file(directory, "state.json", last ? kLast : kNext, to_json(state), last);
}

} // namespace hrun::monitor
