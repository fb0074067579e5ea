// SPDX-License-Identifier: Apache-2.0
// An agent, that is a guest, that answers anything to a probe of its container's health.
#include <sys/socket.h>

#include <cstdlib>

#include "base/unix_socket.h"
#include "monitor/probe.h"

using namespace hrun;
using namespace hrun::monitor;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    auto loop = std::move(*EventLoop::create());
    auto pair = std::move(*unix_pair());
    int told = 0;
    Probe probe(*loop, [&told](const Probe::Done& done) {
        if (done.result.output.size() > Probe::kMaxOutput + 128 ||
            (!done.ended && done.result.exit_code != -1))
            abort();
        ++told;
    });
    probe.begin(std::move(pair.second), "", std::chrono::seconds(10));
    if (size > 0 && data[0] & 1)
        probe.cancel();
    while (size > 0) {
        const size_t take = std::min<size_t>(size, 1 + data[0] * 16u);
        send(pair.first.get(), data, take, MSG_DONTWAIT | MSG_NOSIGNAL);
        data += take;
        size -= take;
        if (!loop->run_once({}))
            return 0;
    }
    pair.first.reset();
    for (int i = 0; i < 100 && told == 0; ++i)
        if (!loop->run_once({}))
            return 0;
    if (told != 1)
        abort();
    return 0;
}
