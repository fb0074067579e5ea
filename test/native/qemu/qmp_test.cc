// SPDX-License-Identifier: Apache-2.0
#include "qemu/qmp.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <vector>

#include "base/unix_socket.h"

namespace hrun::qemu {
namespace {

struct QmpRig {
    QmpRig() : loop(std::move(*EventLoop::create())), pair(std::move(*unix_pair())) {
        qmp = std::make_unique<Qmp>(std::move(pair.first),
                                    [this](const Event& event) { events.push_back(event); });
        REQUIRE(qmp->start(*loop));
    }
    void say(const std::string& text) {
        REQUIRE(send(pair.second.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(text.size()));
        REQUIRE(loop->run_once({}));
    }

    std::unique_ptr<EventLoop> loop;
    std::pair<Fd, Fd> pair;
    std::vector<Event> events;
    std::unique_ptr<Qmp> qmp;
};

TEST_CASE("command mode is entered without waiting for the greeting") {
    QmpRig rig;
    char bytes[64] = {};
    REQUIRE(recv(rig.pair.second.get(), bytes, sizeof bytes, MSG_DONTWAIT) > 0);
    CHECK(std::string(bytes) == "{\"execute\":\"qmp_capabilities\"}\n");
}

TEST_CASE("a full disk and the guest's shutdown are reported, also when a line comes in pieces") {
    QmpRig rig;
    rig.say("{\"QMP\":{}}\r\n{\"return\":{}}\r\n{\"event\":\"BLOCK_IO_ERROR\",\"data\":{\"node-name\":"
            "\"disk2\",");
    CHECK(rig.events.empty());
    rig.say("\"nospace\":true}}\r\n{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true,\"reason\":\"guest-"
            "reset\"}}\r\n");
    REQUIRE(rig.events.size() == 2);
    CHECK(rig.events[0].kind == Event::Kind::kDiskError);
    CHECK(rig.events[0].detail == "disk2");
    CHECK(rig.events[0].no_space);
    CHECK(rig.events[1].detail == "guest-reset");
}

TEST_CASE("lines that make no sense are passed over") {
    QmpRig rig;
    for (const char* line :
         {"\n", "[]\n", "nonsense\n", "{\"event\":7}\n", "{\"event\":\"SHUTDOWN\",\"data\":[]}\n",
          "{\"event\":\"SHUTDOWN\",\"data\":{\"reason\":1}}\n", "\xff\xfe\n"})
        rig.say(line);
    CHECK(rig.events.size() == 1);
    CHECK(rig.events[0].detail.empty());
}

TEST_CASE("a line without end takes no more memory than the limit") {
    QmpRig rig;
    const std::string much(60000, '[');
    for (int i = 0; i < 20; ++i)
        rig.say(much);
    rig.say("\n{\"event\":\"SHUTDOWN\",\"data\":{\"reason\":\"host-signal\"}}\n");
    CHECK(rig.events.size() == 1);
}

} // namespace
} // namespace hrun::qemu
