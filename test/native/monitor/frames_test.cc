// SPDX-License-Identifier: Apache-2.0
#include "monitor/frames.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include "base/unix_socket.h"

namespace hrun::monitor {
namespace {

struct FrameRig {
    FrameRig() : pair(std::move(*unix_pair())) {}
    void say(const std::string& bytes) {
        REQUIRE(send(pair.first.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    }
    Result<bool> read() {
        return reader.read(pair.second.get(), [this](const Frame& frame) -> Result<void> {
            seen.emplace_back(frame.type, std::string(frame.payload));
            return {};
        });
    }

    std::pair<Fd, Fd> pair;
    FrameReader reader;
    std::vector<std::pair<uint8_t, std::string>> seen;
};

TEST_CASE("frames come out as they went in, however the stream is cut") {
    FrameRig rig;
    const std::string bytes = hello_frame() + frame(HRUN_DATA, std::string(1000, 'x'), HRUN_STDOUT) +
                              frame(HRUN_DATA, "", HRUN_STDERR) + frame_of(HRUN_SIGNAL, uint32_t{15});
    for (const char byte : bytes) {
        rig.say(std::string(1, byte));
        REQUIRE(rig.read());
    }
    REQUIRE(rig.seen.size() == 4);
    CHECK(rig.seen[1].second == std::string(1000, 'x'));
    CHECK(rig.seen[2].second.empty());
    CHECK(rig.seen[3].first == HRUN_SIGNAL);
}

TEST_CASE("the largest DATA frame passes") {
    FrameRig rig;
    const std::string bytes = frame(HRUN_DATA, std::string(HRUN_MAX_DATA, 'd'), HRUN_STDIN);
    rig.say(bytes);
    while (rig.seen.empty())
        REQUIRE(rig.read());
    CHECK(rig.seen[0].second.size() == HRUN_MAX_DATA);
}

TEST_CASE("a frame that breaks the contract ends the connection") {
    FrameRig rig;
    SUBCASE("DATA longer than allowed") {
        rig.say(frame(HRUN_DATA, std::string(HRUN_MAX_DATA + 1, 'd'), 0).substr(0, 8));
    }
    SUBCASE("SIGNAL longer than allowed") {
        rig.say(frame(HRUN_SIGNAL, std::string(17, 's')));
    }
    SUBCASE("4 GiB announced") {
        rig.say(std::string("\xff\xff\xff\xff\x06\0\0\0", 8));
    }
    SUBCASE("a stream that does not exist") {
        rig.say(frame(HRUN_DATA, "x", 3));
    }
    SUBCASE("a stream where there is none") {
        rig.say(frame(HRUN_SIGNAL, "1234", 1));
    }
    SUBCASE("reserved bits") {
        rig.say(std::string("\0\0\0\0\x06\0\1\0", 8));
    }
    auto result = rig.read();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == EPROTO);
}

TEST_CASE("the end of the stream is told from nothing to read") {
    FrameRig rig;
    auto nothing = rig.read();
    REQUIRE(nothing);
    CHECK(*nothing);
    rig.pair.first.reset();
    auto end = rig.read();
    REQUIRE(end);
    CHECK_FALSE(*end);
}

} // namespace
} // namespace hrun::monitor
