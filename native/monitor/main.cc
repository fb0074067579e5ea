// SPDX-License-Identifier: Apache-2.0
// hrun-vmm CONTAINER_DIRECTORY: see docs/monitor.md.
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <cstdio>
#include <variant>

#include "monitor/container.h"
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

Result<Fd> watch_for_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    Fd fd(sigprocmask(SIG_BLOCK, &signals, nullptr) < 0 ? -1
                                                        : signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd.valid())
        return Error::last("watch for signals");
    return fd;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2)
        return complain("usage: hrun-vmm CONTAINER_DIRECTORY");
    Fd client = first_client();
    auto container = open_container(argv[1]);
    if (auto* mistake = std::get_if<std::string>(&container))
        return complain(*mistake);
    auto loop = EventLoop::create();
    auto signals = watch_for_signals();
    if (!loop || !signals)
        return complain("out of descriptors");

    Vm vm(**loop, std::move(std::get<Container>(container)));
    const uint32_t stop_signal = vm.stop_signal();
    auto watch = (*loop)->watch(signals->get(), EPOLLIN, [&](uint32_t) {
        signalfd_siginfo info;
        if (read(signals->get(), &info, sizeof info) == sizeof info && info.ssi_signo == SIGTERM)
            vm.stop(stop_signal, kStopMilliseconds);
    });
    if (!watch)
        return complain(watch.error().message());
    vm.start(std::move(client));
    const auto ran = (*loop)->run();
    return ran ? 0 : complain(ran.error().message());
}
