// SPDX-License-Identifier: Apache-2.0
#include "base/unix_socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <cstdlib>
#include <filesystem>

namespace hrun {
namespace {

// A private directory whose path is longer than sun_path.
struct DeepDirectory {
    DeepDirectory() {
        REQUIRE(mkdtemp(top.data()));
        const std::string deep = top + "/" + std::string(100, 'd') + "/" + std::string(100, 'e');
        std::filesystem::create_directories(deep);
        fd.reset(open(deep.c_str(), O_DIRECTORY | O_CLOEXEC));
    }
    ~DeepDirectory() { std::filesystem::remove_all(top); }

    std::string top = "/tmp/hrun-socket-XXXXXX";
    Fd fd;
};

TEST_CASE("a socket is reached by directory and name however long the path is") {
    DeepDirectory directory;
    const auto listener = listen_unix(directory.fd.get(), "control.sock");
    REQUIRE(listener);
    auto client = connect_unix(directory.fd.get(), "control.sock");
    REQUIRE(client);
}

TEST_CASE("a stale socket is replaced, a missing one is an error") {
    DeepDirectory directory;
    REQUIRE(listen_unix(directory.fd.get(), "s"));
    CHECK(connect_unix(directory.fd.get(), "s").error().code == ECONNREFUSED);
    auto listener = listen_unix(directory.fd.get(), "s");
    REQUIRE(listener);
    CHECK(connect_unix(directory.fd.get(), "s"));
    CHECK(accept_unix(listener->get()));
    CHECK(accept_unix(listener->get()).error().code == EAGAIN);
    CHECK(connect_unix(directory.fd.get(), "missing").error().code == ENOENT);
    CHECK(listen_unix(directory.fd.get(), std::string(200, 'n')).error().code == ENAMETOOLONG);
}

} // namespace
} // namespace hrun
