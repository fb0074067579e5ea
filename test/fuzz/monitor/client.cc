// SPDX-License-Identifier: Apache-2.0
// A client of the control socket that says anything, while output flows to it.
#include <sys/socket.h>

#include "base/unix_socket.h"
#include "monitor/client.h"

namespace {

using namespace hrun;
using namespace hrun::monitor;

struct Host : ClientEvents {
    void client_attached(Client& client) override { client.attach(outputs, HRUN_STATE_RUNNING); }
    void client_signal(uint32_t) override {}
    void client_resize(std::string_view) override {}
    void client_stop(const hrun_stop&) override {}
    void client_pause(Client&, bool) override {}
    void client_plug(Client&, const hrun_plug&, std::vector<Fd>) override {}
    void client_unplug(Client&, uint32_t) override {}
    void client_joins(Client&, JoinRequest) override {}
    void client_checkpoint(Client&, Fd) override {}
    void client_release(Client&, bool) override {}
    void client_ready() override {}
    void client_gone(Client&) override {}

    Outputs outputs;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Host host;
    auto loop = std::move(*EventLoop::create());
    auto pair = std::move(*unix_pair());
    Client client(*loop, host, std::move(pair.second), size % 2 == 0);
    if (!client.start())
        return 0;
    (void)host.outputs[0].append("output of the container");
    while (size > 0 && !client.gone()) {
        const size_t take = std::min<size_t>(size, 1 + data[0]);
        send(pair.first.get(), data, take, MSG_DONTWAIT | MSG_NOSIGNAL);
        data += take;
        size -= take;
        if (!loop->run_once({}))
            return 0;
        client.pump(host.outputs);
        client.credit_input(client.input().size());
        client.input().consume(client.input().size());
    }
    return 0;
}
