// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>

extern "C" {
#include "frames.h"
}

namespace {

std::string frame_bytes(uint8_t type, uint8_t stream, const std::string& payload) {
    hrun_frame_header header{static_cast<uint32_t>(payload.size()), type, stream, 0};
    return std::string(reinterpret_cast<char*>(&header), sizeof(header)) + payload;
}

void feed(frame_reader* reader, const std::string& bytes) {
    err err{};
    uint8_t* at = nullptr;
    REQUIRE(frame_reader_space(reader, &at, &err) >= static_cast<ssize_t>(bytes.size()));
    memcpy(at, bytes.data(), bytes.size());
    frame_reader_filled(reader, bytes.size());
}

} // namespace

TEST_CASE("a frame is given out once it is whole") {
    frame_reader reader{};
    frame frame{};
    err err{};
    for (char byte : frame_bytes(HRUN_DATA, 0, "hello")) {
        CHECK(frame_reader_next(&reader, &frame, &err) == 0);
        feed(&reader, std::string(1, byte));
    }
    CHECK(frame_reader_next(&reader, &frame, &err) == 1);
    CHECK(std::string(reinterpret_cast<const char*>(frame.payload), frame.length) == "hello");
    CHECK(frame_reader_next(&reader, &frame, &err) == 0);
    frame_reader_free(&reader);
}

TEST_CASE("a request of the greatest length fits, and one byte more is refused at its header") {
    frame_reader reader{};
    frame frame{};
    err err{};
    std::string big = frame_bytes(HRUN_START, 0, std::string(HRUN_MAX_PAYLOAD, 'x'));
    for (size_t at = 0; at < big.size(); at += 60000)
        feed(&reader, big.substr(at, 60000));
    CHECK(frame_reader_next(&reader, &frame, &err) == 1);
    CHECK(frame.length == HRUN_MAX_PAYLOAD);
    feed(&reader, frame_bytes(HRUN_START, 0, std::string(HRUN_MAX_PAYLOAD + 1, 'x')).substr(0, 8));
    CHECK(frame_reader_next(&reader, &frame, &err) == -1);
    CHECK(err.kind == HRUN_ERROR_PROTOCOL);
    frame_reader_free(&reader);
}

TEST_CASE("the queue keeps room for the frames that end a session, whatever data waits") {
    frame_queue queue{};
    while (size_t room = frame_queue_data_room(&queue)) {
        REQUIRE(frame_queue_data_space(&queue));
        frame_queue_data_filled(&queue, HRUN_STDOUT, room);
    }
    uint32_t credit = 1;
    CHECK(!frame_queue_put(&queue, HRUN_CREDIT, 0, &credit, sizeof(credit)));
    hrun_exit exit{};
    std::string error(sizeof(hrun_error) + HRUN_MAX_MESSAGE, 'e');
    CHECK(frame_queue_put(&queue, HRUN_EXIT, 0, &exit, sizeof(exit)));
    CHECK(frame_queue_put(&queue, HRUN_ERROR, 0, error.data(), error.size()));
    frame_queue_free(&queue);
}

TEST_CASE("what a slow peer takes in pieces arrives in order") {
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    frame_queue queue{};
    std::string sent, got;
    for (int i = 0; i < 200; i++) {
        size_t room = frame_queue_data_room(&queue) / 2;
        std::string data(room, static_cast<char>('a' + i % 26));
        if (room > 0) {
            memcpy(frame_queue_data_space(&queue), data.data(), room);
            frame_queue_data_filled(&queue, HRUN_STDOUT, room);
            sent += frame_bytes(HRUN_DATA, HRUN_STDOUT, data);
        }
        CHECK(frame_queue_flush(&queue, fds[0]) == 0);
        char buffer[30011];
        ssize_t count = read(fds[1], buffer, sizeof(buffer));
        got.append(buffer, static_cast<size_t>(count > 0 ? count : 0));
    }
    CHECK(got.size() > 1000000);
    CHECK(sent.compare(0, got.size(), got) == 0);
    frame_queue_free(&queue);
    close(fds[0]);
    close(fds[1]);
}
