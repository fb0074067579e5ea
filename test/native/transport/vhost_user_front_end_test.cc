// SPDX-License-Identifier: Apache-2.0
// The front end against a back end that says anything, and against our own.
#include "transport/vhost_user_front_end.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/unix_socket.h"
#include "devices/driver_queue.h"
#include "devices/virtio/rng.h"
#include "memory/memory_file.h"
#include "transport/vhost_user.h"
#include "transport/vhost_user_device.h"

namespace hrun::vhost_user {
namespace {

using virtio::test::DriverQueue;

constexpr FrontEnd::Limit kShort{30};
constexpr uint32_t kAnswer = kFlagVersion | kFlagReply;
constexpr uint64_t kOffered = virtio::kFeatureVersion1 | kFeatureProtocolFeatures;

template <class T> std::string answer(uint32_t request, const T& payload, uint32_t flags = kAnswer) {
    const Header header{request, flags, sizeof payload};
    std::string bytes(sizeof header + sizeof payload, '\0');
    memcpy(bytes.data(), &header, sizeof header);
    memcpy(bytes.data() + sizeof header, &payload, sizeof payload);
    return bytes;
}

std::string handshake(uint64_t features = kOffered, uint64_t protocol = kProtocolReplyAck) {
    return answer(kGetFeatures, features) + answer(kGetProtocolFeatures, protocol);
}

// The other end of the socket: what is said here lies ready before it is asked for.
struct Peer {
    Peer() {
        auto pair = unix_pair();
        REQUIRE(pair);
        socket = std::move(pair->first);
        theirs = std::move(pair->second);
    }
    void say(const std::string& bytes) {
        REQUIRE(write(socket.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    // Requests that have come, each with its descriptors and payload.
    std::vector<Message> heard() {
        std::vector<Message> all;
        for (;;) {
            auto message = reader.read(socket.get());
            if (!message || !*message)
                return all;
            all.push_back(std::move(**message));
        }
    }
    Fd socket, theirs;
    MessageReader reader;
};

std::vector<uint32_t> requests(const std::vector<Message>& messages) {
    std::vector<uint32_t> all;
    for (const Message& message : messages)
        all.push_back(message.header.request);
    return all;
}

TEST_CASE("the front end's first exchange takes over the device and asks for acknowledgements") {
    Peer peer;
    FrontEnd front(std::move(peer.theirs), kShort);
    peer.say(handshake());
    auto features = front.connect();
    REQUIRE(features);
    CHECK(*features == virtio::kFeatureVersion1);
    const auto heard = peer.heard();
    CHECK(requests(heard) ==
          std::vector<uint32_t>{kSetOwner, kGetFeatures, kGetProtocolFeatures, kSetProtocolFeatures});
    CHECK(heard[3].as<uint64_t>() == kProtocolReplyAck);
}

TEST_CASE("a queue's addresses and descriptors go to the back end before it may start") {
    Peer peer;
    FrontEnd front(std::move(peer.theirs), kShort);
    for (const uint32_t request :
         {kSetVringNum, kSetVringBase, kSetVringAddr, kSetVringCall, kSetVringKick, kSetVringEnable})
        peer.say(answer(request, uint64_t{0}));
    const EventFd kick = std::move(*EventFd::create()), call = std::move(*EventFd::create());
    REQUIRE(front.start_queue(1, {{64, 0x1000, 0x2000, 0x3000}, kick.get(), call.get()}));
    const auto heard = peer.heard();
    REQUIRE(heard.size() == 6);
    CHECK(heard[0].as<VringState>()->num == 64);
    const auto address = heard[2].as<VringAddress>();
    REQUIRE(address);
    CHECK(address->index == 1);
    CHECK((address->descriptor == 0x1000 && address->available == 0x2000 && address->used == 0x3000));
    REQUIRE((heard[3].fds.size() == 1 && heard[4].fds.size() == 1));
    CHECK(heard[5].as<VringState>()->num == 1);
    call.signal();
    uint64_t count = 0;
    CHECK(read(heard[3].fds[0].get(), &count, sizeof count) == sizeof count); // the same description
    CHECK(read(heard[4].fds[0].get(), &count, sizeof count) < 0);
}

TEST_CASE("an answer that is not the one asked for ends the exchange") {
    struct {
        const char* what;
        std::string answer;
        int code;
    } const cases[] = {
        {"to another request", answer(kGetConfig, kOffered), EPROTO},
        {"too short", answer(kGetFeatures, uint32_t{0}), EPROTO},
        {"too long", answer(kGetFeatures, std::array<uint64_t, 2>{}), EPROTO},
        {"no answer but a request", answer(kGetFeatures, kOffered, kFlagVersion), EPROTO},
        {"of another version", answer(kGetFeatures, kOffered, kFlagReply | 2), EPROTO},
        {"of impossible size", answer(kGetFeatures, std::array<char, kMaxPayload + 1>{}), EPROTO},
        {"without PROTOCOL_FEATURES", answer(kGetFeatures, virtio::kFeatureVersion1), EPROTO},
        {"without REPLY_ACK", handshake(kOffered, kProtocolConfig), EPROTO},
        {"none", "", ETIMEDOUT},
        {"half of one", answer(kGetFeatures, kOffered).substr(0, 13), ETIMEDOUT},
    };
    for (const auto& wrong : cases) {
        CAPTURE(wrong.what);
        Peer peer;
        FrontEnd front(std::move(peer.theirs), kShort);
        peer.say(wrong.answer);
        const auto features = front.connect();
        REQUIRE_FALSE(features);
        CHECK(features.error().code == wrong.code);
    }
}

TEST_CASE("an answer with a descriptor is not taken, and the descriptor not kept") {
    Peer peer;
    FrontEnd front(std::move(peer.theirs), kShort);
    int pipe[2];
    REQUIRE(pipe2(pipe, O_CLOEXEC) == 0);
    Fd read_end(pipe[0]), write_end(pipe[1]);
    REQUIRE(send_message(peer.socket.get(), {kGetFeatures, kAnswer, sizeof kOffered},
                         std::as_bytes(std::span(&kOffered, 1)), {&pipe[1], 1}));
    write_end.reset();
    CHECK(front.connect().error().code == EPROTO);
    char byte;
    CHECK(read(read_end.get(), &byte, 1) == 0); // nobody has the other end
}

TEST_CASE("a refusal, and a queue that another one is stopped for, are errors") {
    Peer peer;
    FrontEnd front(std::move(peer.theirs), kShort);
    peer.say(answer(kSetFeatures, uint64_t{1}));
    CHECK(front.set_features(0).error().code == EPROTO);
    peer.say(answer(kGetVringBase, VringState{1, 0}));
    CHECK(front.stop_queue(0).error().code == EPROTO);
    peer.say(answer(kGetVringBase, VringState{0, UINT32_MAX})); // a number that nothing is made of
    CHECK(front.stop_queue(0));
    peer.socket.reset();
    const auto gone = front.set_features(0);
    REQUIRE_FALSE(gone);
    CHECK((gone.error().code == EPIPE || gone.error().code == ECONNRESET));
}

// A remote device, and what it was told of its back end.
struct Remote {
    explicit Remote(Fd socket, FrontEnd::Limit limit = kShort)
        : loop(std::move(*EventLoop::create())),
          device(
              *loop, std::move(socket), {virtio::kEntropy, {16, 16}, {std::byte{7}, std::byte{8}}},
              [this](const Error& error) { failures.push_back(error.code); }, limit) {
        file = std::move(*create_memory_file("test", kMemory));
        auto mapping = Mapping::share(file.get(), 0, kMemory);
        REQUIRE((mapping && memory.add(std::move(*mapping), 0)));
    }
    Result<void> connect() { return device.connect(file.get(), {{0, kMemory, 0, 0}}); }
    // As a driver does that has set up the first of two queues.
    void activate(const DriverQueue& driver) {
        REQUIRE(queues[0].start(memory, driver.layout(), virtio::kFeatureVersion1, {}));
        const virtio::QueueWiring wiring[] = {{driver.layout(), kick.get(), call.get()},
                                              {{}, kick.get(), call.get()}};
        device.activate({&memory, queues, nullptr, virtio::kFeatureVersion1, wiring});
    }

    static constexpr uint64_t kMemory = 64 * 1024;
    std::unique_ptr<EventLoop> loop;
    std::vector<int> failures;
    RemoteDevice device;
    Fd file;
    GuestMemory memory;
    std::vector<virtio::Virtqueue> queues{virtio::Virtqueue(16), virtio::Virtqueue(16)};
    EventFd kick = std::move(*EventFd::create()), call = std::move(*EventFd::create());
};

TEST_CASE("a remote device offers only features that this side knows, and VERSION_1 at least") {
    Peer peer;
    Remote remote(std::move(peer.theirs));
    peer.say(handshake(~uint64_t{0}));
    REQUIRE(remote.connect());
    CHECK(remote.device.device_features() ==
          (virtio::kFeatureVersion1 | virtio::kFeatureIndirectDesc | virtio::kFeatureEventIdx));
    std::array<std::byte, 4> config{};
    remote.device.read_config(1, config);
    CHECK((config[0] == std::byte{8} && config[1] == std::byte{0}));

    Peer legacy;
    Remote refused(std::move(legacy.theirs));
    legacy.say(handshake(kFeatureProtocolFeatures));
    CHECK(refused.connect().error().code == EPROTO);
}

TEST_CASE("a back end that speaks unasked, or goes, has failed once, and later drivers get nothing of it") {
    for (const bool goes : {true, false}) {
        CAPTURE(goes);
        Peer peer;
        Remote remote(std::move(peer.theirs));
        peer.say(handshake());
        REQUIRE(remote.connect());
        goes ? peer.socket.reset() : peer.say(answer(kGetFeatures, kOffered));
        for (int i = 0; i < 3; ++i)
            REQUIRE(remote.loop->run_once({}));
        CHECK(remote.failures == std::vector<int>{goes ? ECONNRESET : EPROTO});
        remote.activate(DriverQueue(remote.memory, 0x1000, 16));
        remote.device.deactivate();
        CHECK(remote.failures.size() == 1);
    }
}

TEST_CASE("a back end that does not let go of a queue has failed") {
    Peer peer;
    Remote remote(std::move(peer.theirs));
    peer.say(handshake());
    REQUIRE(remote.connect());
    for (const uint32_t request : {kSetFeatures, kSetMemTable, kSetVringNum, kSetVringBase, kSetVringAddr,
                                   kSetVringCall, kSetVringKick, kSetVringEnable})
        peer.say(answer(request, uint64_t{0}));
    remote.activate(DriverQueue(remote.memory, 0x1000, 16));
    CHECK(remote.failures.empty());
    remote.device.deactivate();
    CHECK(remote.failures == std::vector<int>{ETIMEDOUT});
}

// Our own back end on a thread of its own.
struct BackEndThread {
    explicit BackEndThread(Fd socket) : stop(std::move(*EventFd::create())) {
        thread = std::thread([this, socket = std::move(socket)]() mutable {
            auto loop = std::move(*EventLoop::create());
            virtio::RngDevice device(*loop);
            Backend backend(*loop, device, std::move(socket), [](const Error&) {});
            const auto started = backend.start();
            const auto watch = loop->watch(stop.get(), EPOLLIN, [&](uint32_t) { loop->stop(); });
            if (started && watch)
                (void)loop->run();
        });
    }
    ~BackEndThread() {
        stop.signal();
        thread.join();
    }
    EventFd stop;
    std::thread thread;
};

TEST_CASE("our own back end serves the queue of a driver here, and of the next one after a reset") {
    auto pair = std::move(*unix_pair());
    const BackEndThread back_end(std::move(pair.second));
    Remote remote(std::move(pair.first), FrontEnd::Limit(60000));
    REQUIRE(remote.connect());
    for (uint64_t at : {0x1000, 0x3000}) {
        DriverQueue driver(remote.memory, at, 16);
        remote.activate(driver);
        driver.offer({{0x8000, 32, true}});
        remote.kick.signal();
        std::optional<virtio::test::Used> used;
        while (!(used = driver.take_used()))
            std::this_thread::yield();
        CHECK(used->length == 32);
        uint64_t interrupts = 0;
        while (read(remote.call.get(), &interrupts, sizeof interrupts) < 0)
            std::this_thread::yield();
        remote.device.deactivate();
        for (virtio::Virtqueue& queue : remote.queues)
            queue.stop();
        driver.offer({{0x8000, 32, true}});
        remote.kick.signal();
        CHECK_FALSE(driver.take_used());
    }
    CHECK(remote.failures.empty());
}

} // namespace
} // namespace hrun::vhost_user
