// SPDX-License-Identifier: Apache-2.0
#include "monitor/signals.h"

#include <signal.h>
#include <sys/signalfd.h>

namespace hrun::monitor {

Result<Fd> watch_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&signals, number);
    signal(SIGPIPE, SIG_IGN);
    Fd fd(sigprocmask(SIG_BLOCK, &signals, nullptr) < 0 ? -1
                                                        : signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd.valid())
        return Error::last("watch for signals");
    return fd;
}

} // namespace hrun::monitor
