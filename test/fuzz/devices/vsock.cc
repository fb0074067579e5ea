// SPDX-License-Identifier: Apache-2.0
// The vsock device over a guest memory that is the input: rings, descriptors, packets, all of it the fuzzer's.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/unix_socket.h"
#include "devices/virtio/vsock.h"
#include "memory/memory_file.h"

namespace {

using namespace hrun;
using namespace hrun::virtio;

constexpr uint64_t kMemory = 64 * 1024;
constexpr uint16_t kSize = 8;
constexpr size_t kMaxRounds = 8;
constexpr Virtqueue::Layout kLayouts[] = {{kSize, 0x000, 0x100, 0x180}, {kSize, 0x200, 0x300, 0x380}};

class Deaf : public Interrupt {
    void signal_queue(uint16_t) override {}
    void signal_config() override {}
    void signal_broken(uint16_t) override {}
};

// Memory is made once: what a run sees is reset at its start.
struct Guest {
    Guest() {
        auto file = create_memory_file("fuzz", kMemory);
        auto mapping = Mapping::share(file->get(), 0, kMemory);
        bytes = mapping->data();
        if (!memory.add(std::move(*mapping), 0))
            abort();
    }
    GuestMemory memory;
    std::byte* bytes = nullptr;
};

// A host that reads and writes a little, and hangs up when its buffer holds an even number of bytes.
void serve_host(std::vector<Fd>& hosts) {
    char bytes[4096];
    for (Fd& host : hosts) {
        const ssize_t count = read(host.get(), bytes, sizeof bytes);
        [[maybe_unused]] const ssize_t written = send(host.get(), bytes, 100, MSG_NOSIGNAL);
        if (count > 0 && count % 2 == 0)
            host.reset();
    }
    std::erase_if(hosts, [](const Fd& host) { return !host.valid(); });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const Guest guest;
    Deaf interrupt;
    std::vector<Fd> hosts;
    auto loop = std::move(*EventLoop::create());
    std::vector<Virtqueue> queues(2, Virtqueue(VsockDevice::kQueueSize));
    VsockDevice device(*loop, 3, [&](uint32_t port) -> Result<Fd> {
        auto pair = unix_pair();
        if (port % 2 == 0 || !pair)
            return Error{ECONNREFUSED, "fuzz"};
        hosts.push_back(std::move(pair->first));
        return std::move(pair->second);
    });
    auto asked = unix_pair();
    hosts.push_back(std::move(asked->first));
    [[maybe_unused]] const auto connected =
        device.connect(1024, std::move(asked->second), [](Result<VsockKey>) {});

    memset(guest.bytes, 0, kMemory);
    const uint64_t features = kFeatureVersion1 | kFeatureIndirectDesc | (size % 2 ? kFeatureEventIdx : 0);
    for (size_t round = 0; size > 0 && round < kMaxRounds; ++round) {
        const size_t take =
            std::min<size_t>(size, 0x1000); // each round rewrites the rings and the packets behind them
        memcpy(guest.bytes, data, take);
        data += take;
        size -= take;
        if (round == 0) {
            for (size_t i = 0; i < queues.size(); ++i)
                [[maybe_unused]] const auto started =
                    queues[i].start(guest.memory, kLayouts[i], features, {});
            device.activate({&guest.memory, queues, &interrupt, features});
        }
        device.queue_notify(VsockDevice::kTx);
        device.queue_notify(VsockDevice::kRx);
        for (int i = 0; i < 3; ++i) {
            if (!loop->run_once({}))
                abort();
            serve_host(hosts);
        }
    }
    if (device.connection_count() > VsockDevice::kMaxConnections)
        abort();
    device.deactivate();
    return 0;
}
