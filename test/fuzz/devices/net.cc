// SPDX-License-Identifier: Apache-2.0
// The network device between any driver and any peer of its stream socket. What reaches the peer must be whole packets.
#include "devices/virtio/net.h"

#include <endian.h>
#include <sys/socket.h>

#include <string>

#include "base/unix_socket.h"
#include "devices/virtio/net_stream.h"
#include "script.h"

using namespace hrun;

namespace {

class Peer {
  public:
    explicit Peer(Fd socket) : socket_(std::move(socket)) {}

    void act(fuzz::Script& script) {
        const auto what = script.take<uint8_t>();
        char bytes[512] = {};
        if (what == 0xff)
            shutdown(socket_.get(), SHUT_WR);
        else if (what & 1)
            read_all();
        else if (what & 2)
            write(bytes, script.bytes(bytes, what >> 2)); // anything
        else
            send_packet(bytes, what * 2u);
    }
    void read_all() {
        char bytes[65536];
        for (ssize_t got; (got = recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
            received_.append(bytes, static_cast<size_t>(got));
        check();
    }

  private:
    void send_packet(const char* bytes, size_t size) {
        const uint32_t length = htobe32(static_cast<uint32_t>(size));
        write(&length, sizeof length);
        write(bytes, size);
    }
    void write(const void* bytes, size_t size) {
        [[maybe_unused]] const ssize_t sent = send(socket_.get(), bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    void check() {
        while (received_.size() >= 4) {
            uint32_t length;
            memcpy(&length, received_.data(), sizeof length);
            length = be32toh(length);
            if (length < virtio::kEthernetHeader || length > virtio::kMaxFrame)
                abort();
            if (received_.size() < 4 + length)
                return;
            received_.erase(0, 4 + length);
        }
    }

    Fd socket_;
    std::string received_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const fuzz::Memory memory;
    auto loop = std::move(*EventLoop::create());
    fuzz::Script script(data, size);
    auto pair = std::move(*unix_pair());
    Peer peer(std::move(pair.first));
    auto net = virtio::NetDevice::create(*loop, std::make_unique<virtio::NetStream>(std::move(pair.second)),
                                         {{2, 0, 0, 0, 0, 1}, 1500});
    if (!net)
        abort();
    fuzz::Driver(memory, **net).run(script, *loop, [&](fuzz::Script& rest) { peer.act(rest); });
    peer.read_all();
    return 0;
}
