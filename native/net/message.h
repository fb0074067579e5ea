// SPDX-License-Identifier: Apache-2.0
// Netlink messages (netlink(7), rtnetlink(7)): putting one together, and reading the attributes of one that came.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace hrun::net {

class Message {
  public:
    // A request of `type`, RTM_*; `flags` beside NLM_F_REQUEST. `head` is the family's own header.
    template <class Head> Message(uint16_t type, uint16_t flags, const Head& head) {
        begin(type, flags);
        append(&head, sizeof head);
    }

    Message& put(uint16_t type, std::span<const std::byte> value);
    Message& put(uint16_t type, const std::string& text); // with its NUL
    Message& put_u8(uint16_t type, uint8_t value);
    Message& put_u32(uint16_t type, uint32_t value);
    // What is put between the two is inside of an attribute of `type`.
    Message& begin_nested(uint16_t type);
    Message& end_nested();

    // The whole of it, once complete.
    std::span<const std::byte> bytes(uint32_t sequence);

  private:
    void begin(uint16_t type, uint16_t flags);
    void append(const void* data, size_t size);

    std::vector<std::byte> bytes_;
    std::vector<size_t> open_; // where nested attributes began
};

// The attributes in `bytes` by type, without the kernel's flag bits. One that does not fit ends the reading.
std::map<uint16_t, std::span<const std::byte>> attributes(std::span<const std::byte> bytes);

// A value as text up to its NUL, or as a number; "" and 0 for one of another size.
std::string text_of(std::span<const std::byte> value);
uint32_t u32_of(std::span<const std::byte> value);

} // namespace hrun::net
