// SPDX-License-Identifier: Apache-2.0
// hrun-vmm [--service] CONTAINER_DIRECTORY, hrun-vmm --limit CONTAINER_DIRECTORY PID, hrun-vmm --check: see docs/monitor.md.
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "monitor/container.h"
#include "monitor/host_check.h"
#include "monitor/keeper.h"
#include "monitor/restart_wait.h"
#include "monitor/service.h"
#include "monitor/signals.h"
#include "monitor/vm.h"

namespace {

using namespace hrun;
using namespace hrun::monitor;

constexpr int kFirstClient = 3;
constexpr uint32_t kStopMilliseconds = 10000;

int complain(const std::string& what) {
    dprintf(STDERR_FILENO, "hrun-vmm: %s\n", what.c_str());
    return 1;
}

// Descriptor 3, if the caller gave one.
Fd first_client() {
    struct stat st;
    return Fd(fstat(kFirstClient, &st) == 0 && S_ISSOCK(st.st_mode) ? kFirstClient : -1);
}

// Runs `owner` until it stops the loop; SIGTERM calls `stop`.
template <class Owner, class Stop> int serve(EventLoop& loop, Owner& owner, Fd client, const Stop& stop) {
    auto signals = watch_signals();
    if (!signals)
        return complain(signals.error().message());
    auto watch = loop.watch(signals->get(), EPOLLIN, [&](uint32_t) {
        signalfd_siginfo info;
        if (read(signals->get(), &info, sizeof info) == sizeof info && info.ssi_signo == SIGTERM)
            stop();
    });
    if (!watch)
        return complain(watch.error().message());
    owner.start(std::move(client));
    const auto ran = loop.run();
    return ran ? 0 : complain(ran.error().message());
}

int run_vm(Container container, Fd client) {
    auto loop = EventLoop::create();
    if (!loop)
        return complain(loop.error().message());
    Vm vm(**loop, std::move(container));
    return serve(**loop, vm, std::move(client), [&] { vm.stop(vm.stop_signal(), kStopMilliseconds); });
}

int run_service(Container container, Fd client) {
    auto loop = EventLoop::create();
    if (!loop)
        return complain(loop.error().message());
    Service server(**loop, std::move(container));
    return serve(**loop, server, std::move(client), [&] { server.stop(); });
}

int wait_for_restart(Container container, Fd client) {
    auto loop = EventLoop::create();
    if (!loop)
        return complain(loop.error().message());
    RestartWait wait(**loop, std::move(container));
    return serve(**loop, wait, std::move(client), [&] { wait.stop(); });
}

// Of a VM that runs. Its memory's limit stays: that of vm.json is for the VM's next size.
int set_limits(const char* path, const char* process) {
    const Fd directory(open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    const auto config = read_config(directory.get());
    if (const auto* mistake = std::get_if<std::string>(&config))
        return complain(std::string(path) + ": " + *mistake);
    const Config& wanted = std::get<Config>(config);
    jail::Resources resources;
    resources.cpu_max = wanted.resources.cpu_max;
    resources.cpus = wanted.resources.cpus;
    const std::string missing = jail::Cgroup::limit(wanted.id, atoi(process), resources);
    return missing.empty() ? 0 : complain("this host cannot limit the VM's " + missing);
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--check")
        return puts(check_host().c_str()) < 0;
    if (argc == 4 && std::string_view(argv[1]) == "--limit")
        return set_limits(argv[2], argv[3]);
    const bool service = argc == 3 && std::string_view(argv[1]) == "--service";
    if (argc != 2 && !service)
        return complain("usage: hrun-vmm [--service] CONTAINER_DIRECTORY");
    Fd client = first_client();
    auto container = open_container(argv[argc - 1]);
    if (auto* mistake = std::get_if<std::string>(&container))
        return complain(*mistake);
    Keeper keeper(std::move(std::get<Container>(container)),
                  service ? Keeper::Role::kService : Keeper::Role::kContainer);
    return keeper.run(std::move(client), service ? run_service : run_vm, wait_for_restart);
}
