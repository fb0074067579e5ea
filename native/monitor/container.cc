// SPDX-License-Identifier: Apache-2.0
#include "monitor/container.h"

#include <fcntl.h>

#include <climits>
#include <cstdlib>

#include "base/file_lock.h"
#include "base/result.h"
#include "monitor/settings.h"
#include "protocol.h"

namespace hrun::monitor {

namespace {

constexpr size_t kMaxConfig = 1 << 20;
// A repair that looks at the container holds its lock for a moment.
constexpr std::chrono::milliseconds kLockLimit{1000};

Result<Fd> take_lock(int directory) {
    Fd lock(openat(directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (!lock.valid())
        return Error::last("open lock");
    const auto locked = lock_exclusively(lock.get(), kLockLimit);
    if (locked)
        return lock;
    if (locked.error().code != EWOULDBLOCK)
        return locked.error();
    return Error{EBUSY, "take lock (another monitor runs this container)"};
}

} // namespace

std::variant<Config, std::string> read_config(int directory) {
    auto json = read_setting(directory, "vm.json", kMaxConfig);
    if (!json)
        return json.error().message();
    auto config = parse_config(*json);
    if (auto* mistake = std::get_if<std::string>(&config))
        return "vm.json: " + *mistake;
    return config;
}

Result<std::string> read_configure(int directory) {
    return read_setting(directory, "configure.bin", HRUN_MAX_PAYLOAD);
}

std::optional<std::string> read_settings(int directory, Container& container) {
    auto config = read_config(directory);
    auto configure = read_configure(directory);
    auto start = read_setting(directory, "start.bin", HRUN_MAX_PAYLOAD);
    if (auto* mistake = std::get_if<std::string>(&config))
        return *mistake;
    Result<std::string> probe = std::get<Config>(config).health
                                    ? read_setting(directory, "probe.bin", HRUN_MAX_PAYLOAD)
                                    : Result<std::string>(std::string());
    for (auto* file : {&configure, &start, &probe})
        if (!*file)
            return file->error().message();
    container.config = std::move(std::get<Config>(config));
    container.configure = std::move(*configure);
    container.start = std::move(*start);
    container.probe = std::move(*probe);
    return std::nullopt;
}

std::variant<Container, std::string> open_container(const char* path) {
    char resolved[PATH_MAX];
    const std::string where = std::string(path) + ": ";
    Container container;
    container.directory.reset(open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    if (!container.directory.valid() || !realpath(path, resolved))
        return Error::last(std::string("open ") + path).message();
    container.path = resolved;
    auto lock = take_lock(container.directory.get());
    if (!lock)
        return where + lock.error().message();
    container.lock = std::move(*lock);
    if (auto mistake = read_settings(container.directory.get(), container))
        return where + *mistake;
    container.files = open_machine_files(container.config);
    return container;
}

} // namespace hrun::monitor
