// SPDX-License-Identifier: Apache-2.0
// Frames of initrd/protocol.h over non-blocking sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "protocol.h"

namespace hrun::monitor {

struct Frame {
    uint8_t type;
    uint8_t stream;
    std::string_view payload; // valid until the handler returns

    // The payload as a T; false unless it is exactly that long.
    template <class T> bool get(T& value) const {
        if (payload.size() != sizeof value)
            return false;
        payload.copy(reinterpret_cast<char*>(&value), sizeof value);
        return true;
    }
};

// Cuts a byte stream into frames.
class FrameReader {
  public:
    using Handler = std::function<Result<void>(const Frame&)>;

    // Reads what is there, up to a fixed amount so that others have their turn, and hands over each whole frame. False
    // at the end of the stream. EPROTO when a frame breaks the contract or the handler says so; the connection is then
    // of no more use.
    Result<bool> read(int socket, const Handler& handler);
    static constexpr size_t kMaxDescriptors = 9; // a network interface's queues and its record
    // Inside of the handler: the descriptors that came along with what was read last, up to kMaxDescriptors; no others are kept.
    std::vector<Fd> take_descriptors() { return std::exchange(descriptors_, {}); }

  private:
    ssize_t receive(int socket);
    Result<size_t> take_frames(std::string_view bytes, const Handler& handler);

    std::vector<char> buffer_;
    size_t have_ = 0;
    std::vector<Fd> descriptors_;
};

// The frame's bytes.
std::string frame(hrun_frame_type type, std::string_view payload = {}, uint8_t stream = 0);

template <class T> std::string_view bytes_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}
template <class T> std::string frame_of(hrun_frame_type type, const T& value, uint8_t stream = 0) {
    return frame(type, bytes_of(value), stream);
}

// ERROR of kind START: there is no process.
std::string nothing_runs();
// ERROR of kind HOST.
std::string refusal(const Error& error);
std::string hello_frame();
bool is_hello(const Frame& frame);

} // namespace hrun::monitor
