// SPDX-License-Identifier: Apache-2.0
// The host's side of the agent protocol, as the tests need it: plain, blocking, one frame at a time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "protocol.h"

namespace hrun::test {

struct Frame {
    uint8_t type;
    uint8_t stream;
    std::string payload;
};

// The bytes of one integer, as they go over the wire.
template <class T> std::string bytes_of(T value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Strings with a NUL between each two, as MOUNT, SYSCTL and FILE take them.
std::string fields(std::initializer_list<std::string_view> strings);

// The payload of CONFIGURE or START, built tag by tag.
class Tlvs {
  public:
    Tlvs& add(uint16_t tag, std::string_view value) {
        payload_ += bytes_of(hrun_tlv{tag, 0, static_cast<uint32_t>(value.size())});
        payload_ += value;
        return *this;
    }
    Tlvs& add_u32(uint16_t tag, uint32_t value) { return add(tag, bytes_of(value)); }
    Tlvs& add_u64(uint16_t tag, uint64_t value) { return add(tag, bytes_of(value)); }
    const std::string& payload() const { return payload_; }

  private:
    std::string payload_;
};

// A connection to an agent. Every wait has a limit; what passes it throws.
class Wire {
  public:
    explicit Wire(int fd) : fd_(fd) {}
    Wire(Wire&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    Wire& operator=(Wire&&) = delete;
    ~Wire();

    void send(uint8_t type, std::string_view payload = {}, uint8_t stream = 0);
    void send_raw(std::string_view bytes);
    void hello();
    // The next frame, or nothing at end of file.
    std::optional<Frame> receive();
    // The next frame, which must be of this type.
    Frame expect(uint8_t type);
    int fd() const { return fd_; }

  private:
    bool read_exactly(void* to, size_t size);

    int fd_;
};

// The text of an ERROR frame.
std::string error_text(const Frame& frame);
hrun_error error_head(const Frame& frame);

} // namespace hrun::test
