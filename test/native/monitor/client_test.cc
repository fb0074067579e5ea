// SPDX-License-Identifier: Apache-2.0
#include "monitor/client.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/unix_socket.h"

namespace hrun::monitor {
namespace {

struct ClientRig : ClientEvents {
    explicit ClientRig(bool first = true)
        : loop(std::move(*EventLoop::create())), pair(std::move(*unix_pair())) {
        client = std::make_unique<Client>(*loop, *this, std::move(pair.first), first);
        REQUIRE(client->start());
    }
    void client_attached(Client& which) override { which.attach(outputs, HRUN_STATE_RUNNING); }
    void client_signal(uint32_t number) override { signals.push_back(number); }
    void client_resize(std::string_view) override { ++resizes; }
    void client_stop(const hrun_stop& asked) override { stop = asked; }
    void client_pause(Client&, bool pause) override { paused = pause; }
    void client_plug(Client&, const hrun_plug& plug, std::vector<Fd> descriptors) override {
        plugged.push_back(plug.slot * 10 + static_cast<uint32_t>(descriptors.size()));
    }
    void client_unplug(Client&, uint32_t slot) override { plugged.push_back(slot); }
    void client_joins(Client&, JoinRequest request) override { joins.push_back(std::move(request)); }
    void client_checkpoint(Client&, Fd file) override { states.push_back(std::move(file)); }
    void client_release(Client&, bool go_on) override { releases.push_back(go_on); }
    void client_ready() override { client->pump(outputs); }
    void client_gone(Client&) override { ++gone; }

    void say(const std::string& bytes) {
        REQUIRE(send(pair.second.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
        settle();
    }
    // With so many descriptors.
    void say_with(std::string bytes, size_t count) {
        iovec part{bytes.data(), bytes.size()};
        alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))]{};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        for (size_t i = 0; i < count; ++i)
            memcpy(CMSG_DATA(header) + i * sizeof(int), &spare, sizeof spare);
        REQUIRE(sendmsg(pair.second.get(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
        settle();
    }
    void settle() {
        for (int i = 0; i < 3; ++i)
            REQUIRE(loop->run_once({}));
    }
    void attach(uint32_t flags = HRUN_ATTACH_STDIN | HRUN_ATTACH_STDOUT | HRUN_ATTACH_STDERR) {
        say(hello_frame() + frame_of(HRUN_ATTACH, flags));
    }
    // Reads frames and returns the bytes of DATA on `stream`; counts frame types.
    std::string listen(uint8_t stream) {
        std::string data;
        for (int i = 0; i < 8; ++i)
            (void)reader.read(pair.second.get(), [&](const Frame& frame) -> Result<void> {
                ++types[frame.type];
                if (frame.type == HRUN_DATA && frame.stream == stream)
                    data += frame.payload;
                return {};
            });
        return data;
    }

    std::unique_ptr<EventLoop> loop;
    std::pair<Fd, Fd> pair;
    Outputs outputs;
    std::vector<uint32_t> signals;
    hrun_stop stop{};
    std::optional<bool> paused;
    int resizes = 0;
    int gone = 0;
    std::vector<uint32_t> plugged; // slot * 10 + descriptors; slot
    std::vector<JoinRequest> joins;
    std::vector<Fd> states;
    std::vector<bool> releases;
    int spare = STDERR_FILENO; // a descriptor to send
    FrameReader reader;
    std::array<int, 256> types{};
    std::unique_ptr<Client> client;
};

TEST_CASE("the first client gets the output from its first byte, a later one from its arrival") {
    for (const bool first : {true, false}) {
        ClientRig rig(first);
        REQUIRE(rig.outputs[0].append("early "));
        rig.attach();
        REQUIRE(rig.outputs[0].append("late"));
        rig.client->pump(rig.outputs);
        CHECK(rig.listen(HRUN_STDOUT) == (first ? "early late" : "late"));
    }
}

TEST_CASE("output is held for the first client until it has said what it wants") {
    ClientRig rig;
    CHECK(rig.client->needs(0) == 0);
    rig.attach(HRUN_ATTACH_STDERR);
    CHECK_FALSE(rig.client->needs(0));
    CHECK(rig.client->needs(1) == 0);
    ClientRig later(false);
    CHECK_FALSE(later.client->needs(0));
}

TEST_CASE("a client gets no more than it gave credit for, and the rest when it gives more") {
    ClientRig rig;
    rig.attach();
    REQUIRE(rig.outputs[0].append(std::string(HRUN_INITIAL_CREDIT, 'a')));
    rig.client->pump(rig.outputs);
    size_t got = 0;
    for (int i = 0; i < 50; ++i) {
        got += rig.listen(HRUN_STDOUT).size();
        rig.settle();
    }
    CHECK(got == HRUN_INITIAL_CREDIT);
    rig.outputs[0].drop_before(HRUN_INITIAL_CREDIT);
    REQUIRE(rig.outputs[0].append("more"));
    rig.client->pump(rig.outputs);
    CHECK(rig.listen(HRUN_STDOUT).empty());
    rig.say(frame_of(HRUN_CREDIT, uint32_t{3}, HRUN_STDOUT));
    CHECK(rig.listen(HRUN_STDOUT) == "mor");
}

TEST_CASE("EXIT comes after the last byte, GONE after that") {
    ClientRig rig;
    rig.attach();
    REQUIRE(rig.outputs[0].append("bye"));
    rig.outputs[0].finish();
    rig.outputs[1].finish();
    rig.client->finish(frame_of(HRUN_EXIT, hrun_exit{7, 0, 0}));
    CHECK_FALSE(rig.client->say_gone(frame_of(HRUN_GONE, hrun_exit{7, 0, 0})));
    rig.client->pump(rig.outputs);
    CHECK(rig.client->say_gone(frame_of(HRUN_GONE, hrun_exit{7, 0, 0})));
    CHECK(rig.listen(HRUN_STDOUT) == "bye");
    CHECK(rig.types[HRUN_EXIT] == 1);
    CHECK(rig.types[HRUN_GONE] == 1);
}

TEST_CASE("a machine that fails at once waits for what its first client wants, and not for another's") {
    const std::string gone = frame_of(HRUN_GONE, hrun_exit{125, 0, 0});
    ClientRig rig;
    rig.client->finish(frame_of(HRUN_ERROR, hrun_error{HRUN_ERROR_HOST, ENOENT}));
    CHECK_FALSE(rig.client->say_gone(gone));
    rig.attach();
    CHECK(rig.client->say_gone(gone));
    rig.listen(HRUN_STDOUT);
    CHECK(rig.types[HRUN_ERROR] == 1);
    CHECK(rig.types[HRUN_GONE] == 1);
    CHECK(ClientRig(false).client->say_gone(gone));
}

TEST_CASE("requests reach the VM") {
    ClientRig rig;
    rig.attach();
    rig.say(frame_of(HRUN_SIGNAL, uint32_t{2}) + frame(HRUN_RESIZE, "1234") +
            frame_of(HRUN_STOP, hrun_stop{15, 500, HRUN_STOP_FOR_HOST}));
    CHECK(rig.signals == std::vector<uint32_t>{2});
    CHECK(rig.resizes == 1);
    CHECK(rig.stop.signal == 15);
    CHECK(rig.stop.milliseconds == 500);
    CHECK(rig.stop.flags == HRUN_STOP_FOR_HOST);
}

TEST_CASE("who joins brings its disks, each with one descriptor, and can ask for nothing else any more") {
    using Step = JoinRequest::Step;
    ClientRig rig(false);
    rig.say(hello_frame());
    rig.say_with(frame(HRUN_DISK), 1);
    rig.say_with(frame(HRUN_DISK), 1);
    rig.say(frame_of(HRUN_JOIN, uint32_t{2}));
    rig.say_with(frame(HRUN_AGENT), 1);
    rig.say(frame(HRUN_PART));
    REQUIRE(rig.joins.size() == 5);
    CHECK(rig.joins[1].step == Step::kDisk);
    CHECK(rig.joins[1].descriptor.valid());
    CHECK(rig.joins[2].step == Step::kJoin);
    CHECK(rig.joins[2].read_only == 2);
    CHECK(rig.joins[3].step == Step::kAgent);
    CHECK(rig.joins[4].step == Step::kPart);
    rig.say(frame_of(HRUN_STOP, hrun_stop{15, 500, 0}));
    CHECK(rig.stop.signal == 0);
    CHECK(rig.gone == 1);
}

TEST_CASE("a checkpoint is asked for with a file for the state, and ends with one word") {
    ClientRig rig(false);
    rig.say(hello_frame());
    rig.say_with(frame(HRUN_CHECKPOINT), 1);
    rig.say(frame_of(HRUN_RELEASE, uint32_t{1}) + frame_of(HRUN_RELEASE, uint32_t{0}));
    REQUIRE(rig.states.size() == 1);
    CHECK(rig.states[0].valid());
    CHECK(rig.releases == std::vector<bool>{true, false});
    CHECK(rig.gone == 0);
    SUBCASE("without a file") {
        rig.say(frame(HRUN_CHECKPOINT));
    }
    SUBCASE("with two") {
        rig.say_with(frame(HRUN_CHECKPOINT), 2);
    }
    SUBCASE("another word") {
        rig.say(frame_of(HRUN_RELEASE, uint32_t{2}));
    }
    CHECK(rig.gone == 1);
    CHECK(rig.states.size() == 1);
}

TEST_CASE("a descriptor goes to a client with its frame, behind what waits") {
    ClientRig rig(false);
    rig.client->send(frame(HRUN_PAUSED));
    REQUIRE(rig.client->send_descriptor(frame(HRUN_SAVED), STDOUT_FILENO));
    FrameReader reader;
    std::vector<uint8_t> types;
    size_t descriptors = 0;
    while (types.size() < 3)
        REQUIRE(reader.read(rig.pair.second.get(), [&](const Frame& each) -> Result<void> {
            types.push_back(each.type);
            descriptors += reader.take_descriptors().size();
            return {};
        }));
    CHECK(types == std::vector<uint8_t>{HRUN_HELLO, HRUN_PAUSED, HRUN_SAVED});
    CHECK(descriptors == 1);
}

TEST_CASE("a disk without a descriptor, a place without a disk and one for who is attached are refused") {
    for (const std::string& bytes :
         {frame(HRUN_DISK), frame_of(HRUN_JOIN, uint32_t{0}), frame(HRUN_AGENT), frame(HRUN_PART)}) {
        ClientRig rig(false);
        rig.say(hello_frame());
        rig.say(bytes);
        CHECK(rig.joins.empty());
        CHECK(rig.gone == 1);
    }
    ClientRig attached;
    attached.attach();
    attached.say_with(frame(HRUN_DISK), 1);
    CHECK(attached.joins.empty());
    CHECK(attached.gone == 1);
}

TEST_CASE("input and its end are kept in order") {
    ClientRig rig;
    rig.attach();
    rig.say(frame(HRUN_DATA, "abc", HRUN_STDIN) + frame(HRUN_DATA, "", HRUN_STDIN));
    char bytes[8];
    REQUIRE(rig.client->input().peek(bytes, sizeof bytes) == 3);
    CHECK(std::string(bytes, 3) == "abc");
    CHECK_FALSE(rig.client->input_ended());
    rig.client->input().consume(3);
    CHECK(rig.client->input_ended());
}

TEST_CASE("a client that breaks the contract is told so and dropped") {
    ClientRig rig;
    SUBCASE("no HELLO") {
        rig.say(frame_of(HRUN_ATTACH, uint32_t{1}));
    }
    SUBCASE("another magic") {
        rig.say(frame_of(HRUN_HELLO, hrun_hello{1, 1, 0}));
    }
    SUBCASE("attached twice") {
        rig.attach();
        rig.say(frame_of(HRUN_ATTACH, uint32_t{1}));
    }
    SUBCASE("flags that do not exist") {
        rig.attach(64);
    }
    SUBCASE("input without having asked for it") {
        rig.attach(HRUN_ATTACH_STDOUT);
        rig.say(frame(HRUN_DATA, "x", HRUN_STDIN));
    }
    SUBCASE("input on an output stream") {
        rig.attach();
        rig.say(frame(HRUN_DATA, "x", HRUN_STDOUT));
    }
    SUBCASE("input after its end") {
        rig.attach();
        rig.say(frame(HRUN_DATA, "", HRUN_STDIN) + frame(HRUN_DATA, "x", HRUN_STDIN));
    }
    SUBCASE("credit for bytes never sent") {
        rig.attach();
        rig.say(frame_of(HRUN_CREDIT, uint32_t{1}, HRUN_STDOUT));
    }
    SUBCASE("an interface without its tap, though a descriptor came before") {
        rig.say(hello_frame());
        rig.say_with(frame_of(HRUN_UNPLUG, uint32_t{19}), 1);
        rig.say(frame_of(HRUN_PLUG, hrun_plug{19, 1500, {2}, 0}));
    }
    SUBCASE("an interface in a slot that there is not") {
        rig.say(hello_frame());
        rig.say_with(frame_of(HRUN_PLUG, hrun_plug{23, 1500, {2}, 0}), 1);
    }
    SUBCASE("an interface with a group's address") {
        rig.say(hello_frame());
        rig.say_with(frame_of(HRUN_PLUG, hrun_plug{19, 1500, {3}, 0}), 1);
    }
    SUBCASE("an interface without one of its queues") {
        rig.say(hello_frame());
        rig.say_with(frame_of(HRUN_PLUG, hrun_plug{19, 1500, {2}, 2}), 2);
    }
    SUBCASE("an interface of more queues than there are") {
        rig.say(hello_frame());
        rig.say_with(frame_of(HRUN_PLUG, hrun_plug{19, 1500, {2}, 8}), 9);
    }
    SUBCASE("a signal that does not exist") {
        rig.attach();
        rig.say(frame_of(HRUN_SIGNAL, uint32_t{65}));
    }
    SUBCASE("a frame of the agent's") {
        rig.attach();
        rig.say(frame_of(HRUN_EXIT, hrun_exit{}));
    }
    CHECK(rig.gone == 1);
    rig.listen(HRUN_STDOUT);
    CHECK(rig.types[HRUN_ERROR] == 1);
}

TEST_CASE("a client need not attach to pause, resume, stop or signal") {
    ClientRig rig;
    rig.say(hello_frame() + frame(HRUN_PAUSE));
    CHECK(rig.paused == true);
    rig.say(frame(HRUN_RESUME));
    CHECK(rig.paused == false);
    rig.say(frame_of(HRUN_SIGNAL, uint32_t{10}));
    CHECK(rig.signals == std::vector<uint32_t>{10});
    rig.listen(HRUN_STDOUT);
    CHECK(rig.types[HRUN_ERROR] == 0);
    CHECK(rig.client->say_gone(frame_of(HRUN_GONE, hrun_exit{})));
}

TEST_CASE("an interface comes with its tap's queues and a record, whatever else is sent along is dropped") {
    ClientRig rig(false);
    rig.say(hello_frame());
    const std::string plug = frame_of(HRUN_PLUG, hrun_plug{20, 1500, {2}, 0});
    rig.say_with(plug, 1);
    rig.say_with(plug, 2);
    rig.say_with(plug, 14);
    rig.say_with(frame_of(HRUN_PLUG, hrun_plug{20, 1500, {2}, 7}), 9);
    rig.say(frame_of(HRUN_UNPLUG, uint32_t{20}));
    REQUIRE(rig.plugged.size() == 5);
    CHECK(rig.plugged[0] == 201);
    CHECK(rig.plugged[1] == 202);
    CHECK(rig.plugged[2] <= 210); // what the alignment of control messages leaves room for
    CHECK(rig.plugged[3] == 209);
    CHECK(rig.plugged[4] == 20);
    CHECK(rig.gone == 0);
}

TEST_CASE("more input than was credited drops the client") {
    ClientRig rig;
    rig.attach();
    const std::string chunk = frame(HRUN_DATA, std::string(HRUN_MAX_DATA, 'i'), HRUN_STDIN);
    for (int i = 0; i < 4; ++i)
        rig.say(chunk);
    CHECK(rig.gone == 0);
    rig.say(frame(HRUN_DATA, "x", HRUN_STDIN));
    CHECK(rig.gone == 1);
}

TEST_CASE("a client that goes is reported once, from the loop") {
    ClientRig rig;
    rig.attach();
    rig.pair.second.reset();
    rig.settle();
    CHECK(rig.client->gone());
    rig.settle();
    CHECK(rig.gone == 1);
    rig.client->send("ignored");
}

} // namespace
} // namespace hrun::monitor
