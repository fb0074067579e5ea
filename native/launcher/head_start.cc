// SPDX-License-Identifier: Apache-2.0
#include "launcher/head_start.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace hrun::launcher {

namespace {

constexpr size_t kDigits = 64; // of an id, and of a template's key
constexpr int kClient = 3;     // of hrun-vmm
constexpr char kDirectory[] = "head-start";
constexpr std::string_view kWithNic = ".nic"; // src/vm/head-start.ts

bool is_hexadecimal(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// <key>.<id>, and kWithNic if it has an interface
bool is_prepared(std::string_view name, Interface interface) {
    if (interface == Interface::kTap) {
        if (!name.ends_with(kWithNic))
            return false;
        name.remove_suffix(kWithNic.size());
    }
    return name.size() == 2 * kDigits + 1 && name[kDigits] == '.' &&
           is_hexadecimal(name.substr(0, kDigits)) && is_hexadecimal(name.substr(kDigits + 1));
}

// A directory of ours in which nobody else writes.
Fd open_own(int at, const char* path, int flags = O_NOFOLLOW) {
    Fd directory(openat(at, path, O_DIRECTORY | O_RDONLY | O_CLOEXEC | flags));
    struct stat st;
    if (!directory.valid() || fstat(directory.get(), &st) < 0 || st.st_uid != geteuid() ||
        (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return Fd();
    return directory;
}

// Renames one that is prepared; whoever has done so has it alone.
std::optional<HeadStart> claim(int place, Interface interface) {
    DIR* names = fdopendir(dup(place));
    std::optional<HeadStart> claimed;
    while (const dirent* entry = names ? readdir(names) : nullptr) {
        const std::string_view name = entry->d_name;
        if (!is_prepared(name, interface) || !open_own(place, entry->d_name).valid())
            continue;
        std::string id(name.substr(kDigits + 1, kDigits));
        if (renameat(place, entry->d_name, place, id.c_str()) < 0)
            continue;
        claimed = HeadStart{Fd(), std::string(name.substr(0, kDigits)), std::move(id)};
        break;
    }
    if (names)
        closedir(names);
    return claimed;
}

// In a child: what the CLI starts a monitor with.
[[noreturn]] void become_keeper(const std::string& monitor, const std::string& from,
                                const std::string& directory, int client) {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max; // as Node.js has it
        setrlimit(RLIMIT_NOFILE, &files);
    }
    for (int number = 1; number < NSIG; ++number)
        signal(number, SIG_DFL); // whatever the caller ignores
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const std::string log = directory + "/monitor.log";
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int errors = open(log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (setsid() < 0 || chdir("/") < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(errors, 2) < 0)
        _exit(1);
    if (client == kClient ? fcntl(client, F_SETFD, 0) < 0 : dup2(client, kClient) < 0)
        _exit(1);
    close_range(kClient + 1, ~0u, 0);
    const char* const words[] = {monitor.c_str(), "--head-start",    "--from",
                                 from.c_str(),    directory.c_str(), nullptr};
    const char* const nothing[] = {nullptr};
    execve(monitor.c_str(), const_cast<char* const*>(words), const_cast<char* const*>(nothing));
    _exit(1);
}

// Not this process's child, which is to become the CLI and would not collect it.
bool start_keeper(const std::string& monitor, const std::string& from, const std::string& directory,
                  int client) {
    const pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        const pid_t keeper = fork();
        if (keeper == 0)
            become_keeper(monitor, from, directory, client);
        _exit(keeper < 0);
    }
    int status = 0; // unknown where the caller ignores SIGCHLD
    return waitpid(child, &status, 0) < 0 || status == 0;
}

} // namespace

std::string store_directory() {
    const auto variable = [](const char* name, const char* below) {
        const char* value = getenv(name);
        return value && *value ? value + std::string(below) : std::string();
    };
    std::string store = variable("HRUN_ROOT", "");
    if (store.empty() && getuid() == 0)
        return "/var/lib/hrun";
    if (store.empty())
        store = variable("XDG_DATA_HOME", "/hrun");
    if (store.empty())
        store = variable("HOME", "/.local/share/hrun");
    return store.starts_with('/') ? store : ""; // the keeper's working directory is another
}

std::optional<HeadStart> begin_head_start(const std::string& store, Interface interface,
                                          const std::string& monitor) {
    for (int standard = 0; standard < kClient; ++standard)
        if (fcntl(standard, F_GETFD) < 0)
            return std::nullopt; // or a descriptor of ours would be taken for it
    const Fd root = open_own(AT_FDCWD, store.c_str(), 0);
    const Fd place = root.valid() ? open_own(root.get(), kDirectory) : Fd();
    int ends[2];
    if (!place.valid() || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return std::nullopt;
    Fd ours(ends[0]);
    const Fd theirs(ends[1]);
    auto claimed = claim(place.get(), interface);
    if (!claimed || !start_keeper(monitor, store + "/templates/" + claimed->key,
                                  store + "/" + kDirectory + "/" + claimed->id, theirs.get()))
        return std::nullopt;
    claimed->client = std::move(ours);
    return claimed;
}

} // namespace hrun::launcher
