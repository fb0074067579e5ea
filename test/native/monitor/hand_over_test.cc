// SPDX-License-Identifier: Apache-2.0
#include "monitor/hand_over.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

using namespace hrun;
using namespace hrun::monitor;

namespace {

struct Link {
    Link() {
        int ends[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
        keeper.reset(ends[0]);
        monitor.reset(ends[1]);
    }
    Fd keeper, monitor;
};

ino_t inode(int fd) {
    struct stat st;
    REQUIRE(fstat(fd, &st) == 0);
    return st.st_ino;
}

std::vector<Fd> pipes(size_t count) {
    std::vector<Fd> fds;
    for (size_t i = 0; i < count; ++i) {
        int ends[2];
        REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
        fds.emplace_back(ends[0]);
        close(ends[1]);
    }
    return fds;
}

} // namespace

TEST_CASE("a container is handed over with its path and every descriptor, however many messages that takes") {
    for (const size_t disks : {1u, 2u, 8u, 9u, 20u}) {
        Link link;
        const auto fds = pipes(2 + disks + 3);
        HandOverRequest request{"/store/containers/id", fds[0].get(), fds[1].get(), {}, {}};
        for (size_t i = 0; i < disks; ++i)
            request.disks.push_back(fds[2 + i].get());
        for (size_t i = 0; i < 3; ++i)
            request.nics.push_back(fds[2 + disks + i].get());
        REQUIRE(send_hand_over(link.keeper.get(), request));
        HandOverReader reader;
        for (;;) {
            auto whole = reader.receive(link.monitor.get());
            REQUIRE(whole);
            if (*whole)
                break;
        }
        const HandOver got = reader.take();
        CHECK(got.path == "/store/containers/id");
        CHECK(inode(got.control.get()) == inode(fds[0].get()));
        CHECK(inode(got.client.get()) == inode(fds[1].get()));
        REQUIRE(got.disks.size() == disks);
        REQUIRE(got.nics.size() == 3);
        for (size_t i = 0; i < disks; ++i)
            CHECK(inode(got.disks[i].get()) == inode(fds[2 + i].get()));
        for (size_t i = 0; i < 3; ++i)
            CHECK(inode(got.nics[i].get()) == inode(fds[2 + disks + i].get()));
    }
}

TEST_CASE("what is no container is refused") {
    Link link;
    HandOverReader reader;
    REQUIRE(send(link.keeper.get(), "abc", 3, 0) == 3);
    CHECK_FALSE(reader.receive(link.monitor.get()));
    link.keeper.reset();
    HandOverReader other;
    CHECK_FALSE(other.receive(link.monitor.get()));
}
