// SPDX-License-Identifier: Apache-2.0
#include "base/passed_descriptors.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "base/unix_socket.h"

namespace hrun {
namespace {

struct Ends {
    std::pair<Fd, Fd> pair = std::move(*unix_pair());
    int sender() const { return pair.first.get(); }
    int receiver() const { return pair.second.get(); }
};

Result<void> send(const Ends& ends, std::string bytes, const std::vector<int>& fds) {
    const iovec part{bytes.data(), bytes.size()};
    return send_passing(ends.sender(), {&part, 1}, fds, MSG_DONTWAIT);
}

TEST_CASE("descriptors come with their bytes, and belong to whoever received them") {
    const Ends ends;
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    const Fd read_end(pipe[0]), write_end(pipe[1]);
    REQUIRE(send(ends, "here", {write_end.get(), read_end.get()}));
    std::byte bytes[16];
    std::vector<Fd> fds;
    const auto [count, cut] = receive_passed(ends.receiver(), bytes, 2, fds);
    CHECK(count == 4);
    CHECK_FALSE(cut);
    REQUIRE(fds.size() == 2);
    CHECK(fds[0].get() != write_end.get());
    CHECK(fcntl(fds[0].get(), F_GETFD) == FD_CLOEXEC);
    CHECK(write(fds[0].get(), "x", 1) == 1);
    char byte = 0;
    CHECK(read(fds[1].get(), &byte, 1) == 1);
    CHECK(byte == 'x');
}

TEST_CASE("more descriptors than are wanted are cut off, and nothing stays open of them") {
    const Ends ends;
    REQUIRE(send(ends, "x", {0, 0, 0, 0}));
    std::byte bytes[16];
    std::vector<Fd> fds;
    const auto [count, cut] = receive_passed(ends.receiver(), bytes, 2, fds);
    CHECK(count == 1);
    CHECK(cut);
    CHECK(fds.size() == 2);
    CHECK(send(ends, "x", std::vector<int>(kMostPassed + 1, 0)).error().code == E2BIG);
}

TEST_CASE("bytes come without descriptors; nothing there, the end, and a full socket are told apart") {
    Ends ends;
    std::byte bytes[16];
    std::vector<Fd> fds;
    CHECK(receive_passed(ends.receiver(), bytes, 2, fds).count == -1);
    CHECK(errno == EAGAIN);
    REQUIRE(send(ends, "abc", {}));
    CHECK(receive_passed(ends.receiver(), bytes, 2, fds).count == 3);
    CHECK(fds.empty());
    CHECK(send(ends, std::string(64 << 20, 'x'), {}).error().code == EAGAIN);
    ends.pair.first = Fd();
    while (receive_passed(ends.receiver(), bytes, 2, fds).count > 0) {
    }
    CHECK(receive_passed(ends.receiver(), bytes, 2, fds).count == 0);
}

} // namespace
} // namespace hrun
