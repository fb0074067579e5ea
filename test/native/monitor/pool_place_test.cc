// SPDX-License-Identifier: Apache-2.0
#include "monitor/pool_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>

#include "base/unix_socket.h"
#include "temporary_directory.h"

using namespace hrun;
using namespace hrun::monitor;
using News = PoolPlace::News;

namespace {

struct Place {
    Place() {
        std::filesystem::create_directory(made);
        directory.reset(open(made.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
        lock.reset(openat(directory.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        auto socket = listen_unix(directory.get(), "control.sock");
        REQUIRE(socket);
        control = std::move(*socket);
        auto watched = PoolPlace::watch(directory.get(), lock.get(), control.get(), made);
        REQUIRE(watched);
        place.emplace(std::move(*watched));
    }
    void take() { std::filesystem::rename(ready, taken); }
    Fd connect() {
        auto socket = connect_unix(directory.get(), "control.sock");
        REQUIRE(socket);
        return std::move(*socket);
    }

    test::TemporaryDirectory store;
    std::string ready = store.path + "/id", made = ready + ".making", taken = store.path + "/container";
    Fd directory, lock, control;
    std::optional<PoolPlace> place;
};

} // namespace

TEST_CASE(
    "a place is found by its name once it is open, and is a container's when it was moved and spoken to") {
    Place at;
    CHECK(at.place->look() == News::kNone);
    REQUIRE(at.place->open());
    CHECK(std::filesystem::exists(at.ready));
    CHECK(at.place->look() == News::kNone);
    CHECK(at.place->timeout_ms() == -1);
    at.take();
    CHECK(at.place->look() == News::kNone);
    CHECK(at.place->timeout_ms() > 1000);
    const Fd client = at.connect();
    CHECK(at.place->look() == News::kNone);
    CHECK(at.place->timeout_ms() == -1); // it is there as long as it wants
    REQUIRE(write(client.get(), "x", 1) == 1);
    CHECK(at.place->look() == News::kContainer);
    auto path = at.place->path();
    REQUIRE(path);
    CHECK(*path == at.taken);
    char byte = 0;
    CHECK(read(at.place->take_client().get(), &byte, 1) == 1); // nobody has read it
    CHECK(byte == 'x');
}

TEST_CASE("the waiting is over when whoever has taken the machine hangs up, and when somebody speaks to one "
          "that is not taken") {
    Place at;
    REQUIRE(at.place->open());
    at.take();
    at.connect();
    CHECK(at.place->look() == News::kOver);

    Place other;
    REQUIRE(other.place->open());
    other.connect(); // and hangs up: nothing to do with the machine
    CHECK(other.place->look() == News::kNone);
    const Fd client = other.connect();
    REQUIRE(write(client.get(), "x", 1) == 1);
    CHECK(other.place->look() == News::kOver);
}

TEST_CASE("the waiting is over when the directory is removed, and when it is taken away while it is made") {
    Place at;
    REQUIRE(at.place->open());
    std::filesystem::remove_all(at.ready);
    CHECK(at.place->look() == News::kOver);

    Place other;
    std::filesystem::rename(other.made, other.taken);
    CHECK_FALSE(other.place->open());
}
