// SPDX-License-Identifier: Apache-2.0
// The network device of three pairs of queues, and its control queue, between any driver and three peers. One to three pairs are in use, after
// a reset one; what reaches a peer is whole packets, and no more of them than were counted.
#include <endian.h>
#include <sys/socket.h>

#include "base/unix_socket.h"
#include "devices/virtio/net.h"
#include "devices/virtio/net_stream.h"
#include "script.h"

using namespace hrun;

namespace {

constexpr size_t kPairs = 3;

void send_packet(int socket, uint32_t size) {
    char bytes[4 + 256] = {};
    const uint32_t length = htobe32(size);
    memcpy(bytes, &length, sizeof length);
    [[maybe_unused]] const ssize_t sent = send(socket, bytes, 4 + size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// How many packets have come; the rest of one stays in `received`.
uint64_t take_packets(int socket, std::string& received) {
    uint64_t count = 0;
    char bytes[65536];
    for (ssize_t got; (got = recv(socket, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
        received.append(bytes, static_cast<size_t>(got));
    while (received.size() >= 4) {
        uint32_t length;
        memcpy(&length, received.data(), sizeof length);
        length = be32toh(length);
        if (length < virtio::kEthernetHeader || length > virtio::kMaxFrame)
            abort();
        if (received.size() < 4 + length)
            break;
        received.erase(0, 4 + length);
        ++count;
    }
    return count;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const fuzz::Memory memory;
    auto loop = std::move(*EventLoop::create());
    fuzz::Script script(data, size);
    std::vector<Fd> peers;
    std::vector<std::string> received(kPairs);
    std::vector<std::unique_ptr<virtio::NetBackend>> backends;
    while (backends.size() < kPairs) {
        auto pair = std::move(*unix_pair());
        peers.push_back(std::move(pair.first));
        backends.push_back(std::make_unique<virtio::NetStream>(std::move(pair.second)));
    }
    auto made = virtio::NetDevice::create(*loop, std::move(backends), {{2, 0, 0, 0, 0, 1}, 1500});
    if (!made)
        abort();
    virtio::NetDevice& net = **made;
    uint64_t packets = 0;
    fuzz::Driver(memory, net).run(script, *loop, [&](fuzz::Script& rest) {
        const auto what = rest.take<uint8_t>();
        const size_t peer = what % kPairs;
        if (what & 0x80)
            packets += take_packets(peers[peer].get(), received[peer]);
        else
            send_packet(peers[peer].get(), 14 + what);
        if (net.pairs_in_use() < 1 || net.pairs_in_use() > kPairs)
            abort();
    });
    for (size_t peer = 0; peer < kPairs; ++peer)
        packets += take_packets(peers[peer].get(), received[peer]);
    if (net.pairs_in_use() != 1 || packets > net.counters().sent)
        abort();
    return 0;
}
