// SPDX-License-Identifier: Apache-2.0
// A probe whose guest is this test.
#include "monitor/probe.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>

#include "base/unix_socket.h"
#include "monitor/frames.h"

namespace hrun::monitor {
namespace {

using namespace std::chrono_literals;

struct Guest {
    explicit Guest(std::chrono::milliseconds timeout = 10s) {
        auto pair = std::move(*unix_pair());
        socket = std::move(pair.first);
        probe.begin(std::move(pair.second), "payload", timeout);
    }

    void say(const std::string& frames) {
        REQUIRE(send(socket.get(), frames.data(), frames.size(), MSG_NOSIGNAL) > 0);
        turn();
    }
    void turn(std::chrono::milliseconds limit = 0ms) {
        for (int i = 0; i < 20 && !done; ++i)
            REQUIRE(loop->run_once(limit));
    }
    // Until the probe has told its result.
    void wait() {
        while (!done)
            REQUIRE(loop->run_once(1s));
    }
    std::vector<uint8_t> heard() {
        std::vector<uint8_t> types;
        auto more = reader.read(socket.get(), [&](const Frame& frame) {
            types.push_back(frame.type);
            return Result<void>();
        });
        return types;
    }

    std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create());
    Fd socket;
    FrameReader reader;
    std::optional<Probe::Done> done;
    Probe probe{*loop, [this](const Probe::Done& result) { done = result; }};
};

std::string started() {
    return hello_frame() + frame_of(HRUN_STARTED, uint32_t{7});
}

TEST_CASE("what the process says and how it ends is the result") {
    Guest guest;
    guest.say(started() + frame(HRUN_DATA, "fine\n", HRUN_STDOUT) +
              frame(HRUN_DATA, "or not\n", HRUN_STDERR) + frame_of(HRUN_EXIT, hrun_exit{3, 0, 0}));
    guest.wait();
    CHECK(guest.done->ended);
    CHECK(guest.done->result.exit_code == 3);
    CHECK(guest.done->result.output == "fine\nor not\n");
    CHECK(!guest.done->result.end.empty());
}

TEST_CASE("no more than 4096 bytes are kept, however much a guest says") {
    Guest guest;
    guest.say(started());
    const std::string flood(HRUN_MAX_DATA, 'x');
    for (int i = 0; i < 30; ++i)
        guest.say(frame(HRUN_DATA, flood, HRUN_STDOUT));
    guest.say(frame_of(HRUN_EXIT, hrun_exit{0, 0, 0}));
    guest.wait();
    CHECK(guest.done->result.output == std::string(Probe::kMaxOutput, 'x') + "...");
    CHECK(guest.done->result.exit_code == 0);
}

TEST_CASE("a process that does not end in time is killed, and its own exit code does not count") {
    Guest guest(20ms);
    guest.say(started() + frame(HRUN_DATA, "still there", HRUN_STDOUT));
    for (std::vector<uint8_t> heard; std::ranges::find(heard, HRUN_SIGNAL) == heard.end();) {
        guest.turn(5ms);
        const auto more = guest.heard();
        heard.insert(heard.end(), more.begin(), more.end());
    }
    CHECK_FALSE(guest.done);
    guest.say(frame_of(HRUN_EXIT, hrun_exit{0, 0, 0}));
    guest.wait();
    CHECK(guest.done->result.exit_code == -1);
    CHECK(guest.done->exit_code == 0);
    CHECK(guest.done->result.output == "Health check exceeded timeout (20ms): still there");
}

TEST_CASE("a command that cannot be started, and a guest that hangs up or talks nonsense, are failures") {
    Guest missing;
    missing.say(hello_frame() +
                frame(HRUN_ERROR, std::string(bytes_of(hrun_error{HRUN_ERROR_NOT_FOUND, 2})) + "not found"));
    missing.wait();
    CHECK(missing.done->result.exit_code == -1);
    CHECK(missing.done->result.output == "not found");
    CHECK_FALSE(missing.done->ended);

    Guest silent;
    silent.socket.reset();
    silent.wait();
    CHECK(silent.done->result.exit_code == -1);

    Guest broken;
    broken.say(std::string(64, '\xff'));
    broken.wait();
    CHECK(broken.done->result.exit_code == -1);
}

} // namespace
} // namespace hrun::monitor
