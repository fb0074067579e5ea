// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/vsock.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <thread>

#include "harness.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

namespace {

constexpr uint32_t kPort = 1024;

// Byte `at` of a stream in which every part looks different.
char pattern(uint64_t at) {
    return static_cast<char>((at * 2654435761u) >> 13);
}

// A client that sends `total` bytes and expects each of them back, on a thread of its own.
class EchoClient {
  public:
    EchoClient(int socket, uint64_t total)
        : socket_(socket), thread_([=, this] {
              std::thread sender([=] { send_all(socket, total); });
              receive_all(socket, total);
              sender.join();
          }) {}
    ~EchoClient() {
        shutdown(socket_, SHUT_RDWR); // also after a failure, when the threads still wait
        thread_.join();
    }

    std::atomic<uint64_t> received = 0;
    std::atomic<bool> intact = true;

  private:
    static void send_all(int socket, uint64_t total) {
        std::vector<char> chunk(100000); // not a divisor of anything
        for (uint64_t at = 0; at < total;) {
            const size_t size = std::min<uint64_t>(chunk.size(), total - at);
            for (size_t i = 0; i < size; ++i)
                chunk[i] = pattern(at + i);
            const ssize_t sent = send(socket, chunk.data(), size, MSG_NOSIGNAL);
            if (sent <= 0)
                return;
            at += static_cast<uint64_t>(sent);
        }
    }
    void receive_all(int socket, uint64_t total) {
        std::vector<char> chunk(100000);
        while (received < total) {
            const ssize_t got = recv(socket, chunk.data(), chunk.size(), 0);
            if (got <= 0)
                return;
            for (ssize_t i = 0; i < got; ++i)
                if (chunk[static_cast<size_t>(i)] != pattern(received + static_cast<uint64_t>(i)))
                    intact = false;
            received += static_cast<uint64_t>(got);
        }
    }

    int socket_;
    std::thread thread_;
};

} // namespace

TEST_CASE("100 MiB go to the guest over vsock and come back intact" * doctest::skip(!kvm_usable())) {
    constexpr uint64_t kTotal = 100 << 20;
    GuestRun run("vsock");
    SUBCASE("by plain rings") {}
    SUBCASE("by indirect descriptors, notified and interrupted by event index") {
        run.config.command_line = "rings";
    }
    auto& vsock = run.add(2, std::make_unique<virtio::VsockDevice>(run.loop(), 3, [](uint32_t) {
                              return Result<Fd>(Error{ECONNREFUSED, "accept"});
                          }));
    run.start();
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const Fd client(ends[0]);
    Fd device_end(ends[1]);
    fcntl(device_end.get(), F_SETFL, O_NONBLOCK);
    REQUIRE(vsock.connect(kPort, std::move(device_end), [](auto&&...) {}));
    {
        EchoClient echo(client.get(), kTotal);
        run.until([&] { return echo.received == kTotal || !echo.intact; });
        CHECK(echo.intact);
    }
    run.expect_ok();
    CHECK(run.console().find("echoed " + std::to_string(kTotal) + " bytes") != std::string::npos);
    MESSAGE("exits to the VMM: ", run.machine().exits());
}
