// SPDX-License-Identifier: Apache-2.0
#include "rig/wire.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace hrun::test {
namespace {
constexpr int WAIT_MS = 60000;
}

std::string fields(std::initializer_list<std::string_view> strings) {
    std::string joined;
    for (std::string_view string : strings) {
        joined += joined.empty() ? "" : std::string(1, '\0');
        joined += string;
    }
    return joined;
}

Wire::~Wire() {
    if (fd_ >= 0)
        close(fd_);
}

void Wire::send_raw(std::string_view bytes) {
    while (!bytes.empty()) {
        ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0)
            throw std::runtime_error(std::string("send: ") + strerror(errno));
        bytes.remove_prefix(static_cast<size_t>(count));
    }
}

void Wire::send(uint8_t type, std::string_view payload, uint8_t stream) {
    std::string frame = bytes_of(hrun_frame_header{static_cast<uint32_t>(payload.size()), type, stream, 0});
    frame += payload;
    send_raw(frame);
}

void Wire::hello() {
    send(HRUN_HELLO, bytes_of(hrun_hello{HRUN_PROTOCOL_MAGIC, HRUN_PROTOCOL_VERSION, 0}));
}

bool Wire::read_exactly(void* to, size_t size) {
    for (size_t done = 0; done < size;) {
        pollfd wait{fd_, POLLIN, 0};
        if (poll(&wait, 1, WAIT_MS) <= 0)
            throw std::runtime_error("the agent said nothing for too long");
        ssize_t count = read(fd_, static_cast<char*>(to) + done, size - done);
        if (count <= 0)
            return false;
        done += static_cast<size_t>(count);
    }
    return true;
}

std::optional<Frame> Wire::receive() {
    hrun_frame_header header;
    if (!read_exactly(&header, sizeof(header)))
        return std::nullopt;
    Frame frame{header.type, header.stream, std::string(header.length, '\0')};
    if (header.length > 0 && !read_exactly(frame.payload.data(), header.length))
        return std::nullopt;
    return frame;
}

Frame Wire::expect(uint8_t type) {
    auto frame = receive();
    if (!frame)
        throw std::runtime_error("the agent closed the connection");
    if (frame->type == type)
        return *frame;
    std::string got = "frame type " + std::to_string(frame->type);
    throw std::runtime_error(frame->type == HRUN_ERROR ? error_text(*frame) : got);
}

hrun_error error_head(const Frame& frame) {
    hrun_error head{};
    memcpy(&head, frame.payload.data(), sizeof(head));
    return head;
}

std::string error_text(const Frame& frame) {
    return frame.payload.substr(sizeof(hrun_error));
}

} // namespace hrun::test
