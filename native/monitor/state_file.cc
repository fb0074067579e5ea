// SPDX-License-Identifier: Apache-2.0
#include "monitor/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/fd.h"

namespace hrun::monitor {

namespace {

constexpr char kNext[] = "state.json.new";
constexpr char kLast[] = "state.json.last"; // src/container/container-state.ts knows it too
constexpr off_t kLastBytes = 8192;          // more than a state with the longest message of an agent's

// The keeper writes here after a monitor that may have been broken out of: what is no ordinary file was planted.
Fd open_for_state(int directory, const char* name) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    Fd file(openat(directory, name, kFlags, 0644));
    struct stat st;
    if (file.valid() && fstat(file.get(), &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
        return file;
    unlinkat(directory, name, 0);
    return Fd(openat(directory, name, kFlags | O_EXCL, 0644));
}

// `otherwise` also for a value of another type.
template <class T> T value_of(const nlohmann::json& object, const char* key, T otherwise) {
    const auto found = object.find(key);
    const bool fits = found != object.end() && found->type() == nlohmann::json(otherwise).type();
    return fits ? found->get<T>() : otherwise;
}

Result<void> sync_directory(int directory) {
    const Fd here(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!here.valid() || fsync(here.get()) < 0)
        return Error::last("sync the container's directory");
    return {};
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
    const Fd file = open_for_state(directory, kLast);
    if (!file.valid())
        return Error::last("write state.json");
    if (const int error = posix_fallocate(file.get(), 0, kLastBytes); error != 0)
        return Error{error, "write state.json"};
    return {};
}

Result<void> write_state(int directory, const State& state) {
    const std::string text = to_json(state);
    const bool last = state.status == "exited";
    const char* const unfinished = last ? kLast : kNext;
    const Fd file = open_for_state(directory, unfinished);
    if (!file.valid())
        return Error::last("write state.json");
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size()))
        return written < 0 ? Error::last("write state.json") : Error{ENOSPC, "write state.json"};
    if (ftruncate(file.get(), written) < 0)
        return Error::last("write state.json");
    if (last && fsync(file.get()) < 0)
        return Error::last("sync state.json");
    if (renameat(directory, unfinished, directory, "state.json") < 0)
        return Error::last("replace state.json");
    return last ? sync_directory(directory) : Result<void>();
}

} // namespace hrun::monitor
