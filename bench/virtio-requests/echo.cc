// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "base/fd.h"
#include "base/result.h"
#include "roles.h"

namespace hrun::bench {

namespace {

constexpr uint16_t kEtherType = 0x88b5;          // IEEE 802: for local experiments
constexpr std::chrono::microseconds kPause(200); // longer than QEMU takes to deliver 16 frames

struct [[gnu::packed]] Frame { // guest/net.c
    char ethernet[14];
    uint32_t copies, at_once;
    char payload[2048];
};

Result<void> send_back(int socket, const Frame& frame, size_t size) {
    for (uint32_t sent = 0; sent < frame.copies; ++sent) {
        if (sent > 0 && sent % frame.at_once == 0)
            std::this_thread::sleep_for(kPause);
        if (send(socket, &frame, size, 0) < 0)
            return Error::last("send a frame back");
    }
    return {};
}

Result<void> run(const std::string& interface) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(kEtherType);
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    const Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (!socket.valid() || address.sll_ifindex == 0 ||
        bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        return Error::last("listen on " + interface);
    puts("ready");
    fflush(stdout);
    Frame frame{};
    for (;;) {
        const ssize_t size = recv(socket.get(), &frame, sizeof frame, 0);
        if (size < 0)
            return Error::last("receive a frame");
        HRUN_TRY(send_back(socket.get(), frame, static_cast<size_t>(size)));
    }
}

} // namespace

int run_echo(const std::string& interface) {
    const Result<void> ran = run(interface);
    if (!ran)
        fprintf(stderr, "echo: %s\n", ran.error().message().c_str());
    return 1;
}

} // namespace hrun::bench
