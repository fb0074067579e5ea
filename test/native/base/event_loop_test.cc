// SPDX-License-Identifier: Apache-2.0
#include "base/event_loop.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "base/event_fd.h"

namespace hrun {
namespace {

using namespace std::chrono_literals;

struct LoopRig {
    LoopRig() : loop(std::move(*EventLoop::create())), event(std::move(*EventFd::create())) {}
    std::unique_ptr<EventLoop> loop;
    EventFd event;
};

TEST_CASE("a descriptor's handler runs while it is watched and no longer") {
    LoopRig rig;
    int calls = 0;
    auto watch = rig.loop->watch(rig.event.get(), EPOLLIN, [&](uint32_t) { calls += rig.event.drain(); });
    REQUIRE(watch);
    REQUIRE(rig.loop->run_once(0ms));
    CHECK(calls == 0);
    rig.event.signal();
    REQUIRE(rig.loop->run_once(0ms));
    CHECK(calls == 1);
    watch->reset();
    rig.event.signal();
    REQUIRE(rig.loop->run_once(0ms));
    CHECK(calls == 1);
}

TEST_CASE("a handler may drop its own watch and others whose events are already there") {
    LoopRig rig;
    auto other = std::move(*EventFd::create());
    std::optional<Watch> watches[2];
    int calls = 0;
    const auto drop_all = [&](uint32_t) {
        ++calls;
        watches[0].reset();
        watches[1].reset();
    };
    watches[0] = std::move(*rig.loop->watch(rig.event.get(), EPOLLIN, drop_all));
    watches[1] = std::move(*rig.loop->watch(other.get(), EPOLLIN, drop_all));
    rig.event.signal();
    other.signal();
    REQUIRE(rig.loop->run_once(0ms));
    REQUIRE(rig.loop->run_once(0ms));
    CHECK(calls == 1);
}

TEST_CASE("timers run in the order of their times, each once, and a dropped one never") {
    LoopRig rig;
    std::string order;
    const Timer late = rig.loop->after(500ms, [&] { order += "late "; });
    const Timer early = rig.loop->after(1ms, [&] { order += "early "; });
    Timer dropped = rig.loop->after(2ms, [&] { order += "dropped "; });
    dropped.reset();
    CHECK(late.active());
    CHECK_FALSE(dropped.active());
    while (late.active())
        REQUIRE(rig.loop->run_once(1s));
    CHECK(order == "early late ");
    CHECK_FALSE(early.active());
}

TEST_CASE("a timer may set itself again, and waits for the events that are due") {
    LoopRig rig;
    std::string order;
    Timer timer;
    int rounds = 0;
    std::function<void()> again = [&] {
        order += "t";
        if (++rounds < 3)
            timer = rig.loop->after({}, again);
    };
    timer = rig.loop->after({}, again);
    const auto watch = rig.loop->watch(rig.event.get(), EPOLLIN, [&](uint32_t) {
        rig.event.drain();
        order += "e";
    });
    rig.event.signal();
    while (rounds < 3)
        REQUIRE(rig.loop->run_once(1s));
    CHECK(order == "ettt");
}

TEST_CASE("run serves until it is told to stop") {
    LoopRig rig;
    const Timer timer = rig.loop->after(1ms, [&] { rig.loop->stop(); });
    CHECK(rig.loop->run());
}

TEST_CASE("a loop that was stopped before it ran does not run, and runs the next time") {
    LoopRig rig;
    rig.loop->stop();
    REQUIRE(rig.loop->run());
    bool called = false;
    const Timer timer = rig.loop->after({}, [&] {
        called = true;
        rig.loop->stop();
    });
    REQUIRE(rig.loop->run());
    CHECK(called);
}

TEST_CASE("a descriptor that cannot be watched is an error") {
    LoopRig rig;
    CHECK(rig.loop->watch(-1, EPOLLIN, [](uint32_t) {}).error().code == EBADF);
}

} // namespace
} // namespace hrun
