// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/hybrid_vsock.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <cstdlib>

#include "devices/guest_vsock.h"

namespace hrun::virtio {
namespace {

using namespace test;

// A private directory that is removed with what is in it.
struct Directory {
    Directory() {
        REQUIRE(mkdtemp(path.data()));
        fd.reset(::open(path.c_str(), O_DIRECTORY | O_CLOEXEC));
    }
    ~Directory() { rmdir(path.c_str()); }

    std::string path = "/tmp/hrun-vsock-XXXXXX";
    Fd fd;
};

struct HybridRig {
    HybridRig() {
        REQUIRE(hybrid.listen(*guest.device));
        guest.start();
    }
    Fd client(const std::string& greeting) {
        auto socket = connect_unix(directory.fd.get(), "vsock.sock");
        REQUIRE(socket);
        REQUIRE(send(socket->get(), greeting.data(), greeting.size(), 0) ==
                static_cast<ssize_t>(greeting.size()));
        return std::move(*socket);
    }

    Directory directory;
    GuestVsock guest;
    HybridVsock hybrid{*guest.loop, directory.fd.get(), "vsock.sock"};
};

TEST_CASE("a client that says CONNECT reaches the guest's port and is told the host's") {
    HybridRig rig;
    const Fd client = rig.client("CONNECT 1024\nearly bytes");
    const Packet request = rig.guest.expect(kVsockOpRequest);
    CHECK(request.header.dst_port == 1024);
    rig.guest.send_op(kVsockOpResponse, 1024, request.header.src_port);
    CHECK(rig.guest.expect(kVsockOpRw).payload == "early bytes");
    rig.guest.send_op(kVsockOpRw, 1024, request.header.src_port, "reply");
    CHECK(read_available(client.get()) == "OK " + std::to_string(request.header.src_port) + "\nreply");
}

TEST_CASE("a refused client sees the end of file and no OK") {
    HybridRig rig;
    const Fd client = rig.client("CONNECT 9\n");
    const Packet request = rig.guest.expect(kVsockOpRequest);
    rig.guest.send_op(kVsockOpRst, 9, request.header.src_port);
    CHECK(at_end(client.get()));
}

TEST_CASE("a greeting in pieces is put together") {
    HybridRig rig;
    const Fd client = rig.client("CONN");
    rig.guest.settle();
    REQUIRE(send(client.get(), "ECT 77\n", 7, 0) == 7);
    CHECK(rig.guest.expect(kVsockOpRequest).header.dst_port == 77);
}

TEST_CASE("anything but CONNECT and a port ends the client") {
    HybridRig rig;
    for (const char* greeting :
         {"GET / HTTP/1.1\r\n", "CONNECT \n", "CONNECT 12x\n", "CONNECT -1\n", "CONNECT 4294967296\n",
          "connect 1\n", "\n", "CONNECT 00000000000000000000000000000000000001\n"}) {
        const Fd client = rig.client(greeting);
        rig.guest.expect_silence();
        CHECK(closed(client.get()));
    }
}

TEST_CASE("clients that never finish their greeting take no more than their share") {
    HybridRig rig;
    std::vector<Fd> idle;
    for (size_t i = 0; i < HybridVsock::kMaxGreeting + 10; ++i) {
        idle.push_back(rig.client("CONNECT"));
        rig.guest.settle();
    }
    CHECK(closed(idle.back().get()));
    idle.clear();
}

TEST_CASE("a guest's connection goes to the socket named after the port") {
    HybridRig rig;
    auto listener = listen_unix(rig.directory.fd.get(), "vsock.sock_52");
    REQUIRE(listener);
    auto far = rig.hybrid.accept_from_guest(52);
    REQUIRE(far);
    CHECK(accept_unix(listener->get()));
    CHECK_FALSE(rig.hybrid.accept_from_guest(53));
    unlinkat(rig.directory.fd.get(), "vsock.sock_52", 0);
}

} // namespace
} // namespace hrun::virtio
