// SPDX-License-Identifier: Apache-2.0
#include "monitor/frames.h"

#include <cerrno>
#include <cstring>

#include "base/passed_descriptors.h"

namespace hrun::monitor {

namespace {

constexpr size_t kHeader = sizeof(hrun_frame_header);
constexpr size_t kSmallPayload = 16;
constexpr size_t kBuffer = 256 * 1024; // at least one whole DATA frame

size_t max_payload(uint8_t type) {
    if (type == HRUN_DATA)
        return HRUN_MAX_DATA;
    if (type == HRUN_SUSPENDED)
        return HRUN_MAX_MESSAGE;
    return type == HRUN_ERROR ? sizeof(hrun_error) + HRUN_MAX_MESSAGE : kSmallPayload;
}

Result<void> check(const hrun_frame_header& header) {
    const bool streamed = header.type == HRUN_DATA || header.type == HRUN_CREDIT;
    if (header.length > max_payload(header.type))
        return Error{EPROTO, "frame " + std::to_string(header.type) + " of " + std::to_string(header.length) +
                                 " bytes"};
    if (header.reserved != 0 || header.stream > (streamed ? HRUN_STDERR : 0))
        return Error{EPROTO, "frame " + std::to_string(header.type) + " with a bad header"};
    return {};
}

} // namespace

Result<bool> FrameReader::read(int socket, const Handler& handler) {
    buffer_.resize(kBuffer);
    const ssize_t count = receive(socket);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (count < 0 && errno != ECONNRESET)
        return Error::last("receive frames");
    if (count <= 0)
        return false;
    have_ += static_cast<size_t>(count);
    auto used = take_frames({buffer_.data(), have_}, handler);
    if (!used)
        return used.error();
    have_ -= *used;
    memmove(buffer_.data(), buffer_.data() + *used, have_);
    return true;
}

// Descriptors that do not fit are the kernel's to close, those that nobody has taken ours.
ssize_t FrameReader::receive(int socket) {
    descriptors_.clear();
    const auto room = std::as_writable_bytes(std::span(buffer_)).subspan(have_);
    return receive_passed(socket, room, kMaxDescriptors, descriptors_).count;
}

// Returns how many bytes belonged to whole frames; fewer than one frame stay, so the buffer never runs full.
Result<size_t> FrameReader::take_frames(std::string_view bytes, const Handler& handler) {
    size_t used = 0;
    while (bytes.size() - used >= kHeader) {
        hrun_frame_header header;
        memcpy(&header, bytes.data() + used, kHeader);
        HRUN_TRY(check(header));
        if (bytes.size() - used - kHeader < header.length)
            break;
        HRUN_TRY(handler({header.type, header.stream, bytes.substr(used + kHeader, header.length)}));
        used += kHeader + header.length;
    }
    return used;
}

std::string frame(hrun_frame_type type, std::string_view payload, uint8_t stream) {
    const hrun_frame_header header{static_cast<uint32_t>(payload.size()), static_cast<uint8_t>(type), stream,
                                   0};
    std::string bytes(bytes_of(header));
    bytes += payload;
    return bytes;
}

std::string nothing_runs() {
    return frame(HRUN_ERROR,
                 std::string(bytes_of(hrun_error{HRUN_ERROR_START, ESRCH})) + "the container is not running");
}

std::string refusal(const Error& error) {
    return frame(HRUN_ERROR,
                 std::string(bytes_of(hrun_error{HRUN_ERROR_HOST, static_cast<uint32_t>(error.code)})) +
                     error.what);
}

std::string hello_frame() {
    return frame_of(HRUN_HELLO, hrun_hello{HRUN_PROTOCOL_MAGIC, HRUN_PROTOCOL_VERSION, 0});
}

bool is_hello(const Frame& frame) {
    hrun_hello hello;
    return frame.type == HRUN_HELLO && frame.get(hello) && hello.magic == HRUN_PROTOCOL_MAGIC &&
           hello.version == HRUN_PROTOCOL_VERSION;
}

} // namespace hrun::monitor
