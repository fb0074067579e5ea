// SPDX-License-Identifier: Apache-2.0
#include "qemu/qmp.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
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

TEST_CASE("commands are answered together, with the first refusal, and a descriptor goes first") {
    QmpRig rig;
    std::vector<std::string> answers;
    const auto keep = [&](const Result<void>& done) { answers.push_back(done ? "" : done.error().what); };
    REQUIRE(rig.qmp->ask({R"({"execute":"getfd"})", R"({"execute":"a"})"}, keep, {{STDERR_FILENO}}));
    REQUIRE(rig.qmp->ask({R"({"execute":"c"})"}, keep));
    char bytes[512] = {};
    REQUIRE(recv(rig.pair.second.get(), bytes, sizeof bytes - 1, MSG_DONTWAIT) > 0);
    size_t got = strlen(bytes);
    for (ssize_t more;
         (more = recv(rig.pair.second.get(), bytes + got, sizeof bytes - 1 - got, MSG_DONTWAIT)) > 0;)
        got += static_cast<size_t>(more);
    CHECK(std::string(bytes).find("\n{\"id\":1,\"execute\":\"getfd\"}\n{\"id\":1,\"execute\":\"a\"}\n"
                                  "{\"id\":2,\"execute\":\"c\"}\n") != std::string::npos);
    rig.say("{\"id\":1,\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}\n");
    CHECK(answers.empty());
    rig.say("{\"return\":{},\"id\":2}\n{\"id\":1,\"error\":{\"desc\":\"later\"}}\n");
    CHECK(answers == std::vector<std::string>{"", "QEMU says: no"});
    CHECK(rig.events.empty());
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

TEST_CASE("the state's file goes along with its name") {
    QmpRig rig;
    char bytes[1024];
    REQUIRE(recv(rig.pair.second.get(), bytes, sizeof bytes, MSG_DONTWAIT) > 0);
    const Fd file(memfd_create("state", MFD_CLOEXEC));
    REQUIRE(rig.qmp->restore(file.get()));
    std::string said;
    int passed = 0;
    for (;;) {
        iovec space{bytes, sizeof bytes};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        msghdr message{};
        message.msg_iov = &space;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const ssize_t count = recvmsg(rig.pair.second.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (count <= 0)
            break;
        said.append(bytes, static_cast<size_t>(count));
        for (cmsghdr* each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each)) {
            ++passed;
            int fd;
            memcpy(&fd, CMSG_DATA(each), sizeof fd);
            close(fd);
        }
    }
    CHECK(passed == 1);
    CHECK(said.find("x-ignore-shared") < said.find("getfd"));
    CHECK(said.find("getfd") < said.find(R"({"execute":"migrate-incoming","arguments":{"uri":"fd:state"}})"));
}

TEST_CASE("the end of saving or restoring, and a command that was refused, are reported") {
    QmpRig rig;
    rig.say("{\"event\":\"MIGRATION\",\"data\":{\"status\":\"active\"}}\n");
    CHECK(rig.events.empty());
    rig.say("{\"event\":\"MIGRATION\",\"data\":{\"status\":\"completed\"}}\n");
    rig.say("{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}\n");
    rig.say("{\"event\":\"MIGRATION\",\"data\":{\"status\":\"failed\"}}\n");
    REQUIRE(rig.events.size() == 3);
    CHECK(rig.events[0].kind == Event::Kind::kCompleted);
    CHECK(rig.events[1].kind == Event::Kind::kRefused);
    CHECK(rig.events[1].detail == "no");
    CHECK(rig.events[2].kind == Event::Kind::kRefused);
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
