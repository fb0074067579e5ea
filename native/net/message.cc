// SPDX-License-Identifier: Apache-2.0
#include "net/message.h"

#include <cstring>

namespace hrun::net {

void Message::begin(uint16_t type, uint16_t flags) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST);
    append(&header, sizeof header);
}

// Everything in a message begins at a multiple of four bytes.
void Message::append(const void* data, size_t size) {
    const auto* from = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), from, from + size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

Message& Message::put(uint16_t type, std::span<const std::byte> value) {
    const nlattr head{static_cast<uint16_t>(NLA_HDRLEN + value.size()), type};
    append(&head, sizeof head);
    append(value.data(), value.size());
    return *this;
}

Message& Message::put(uint16_t type, const std::string& text) {
    return put(type, std::as_bytes(std::span(text.c_str(), text.size() + 1)));
}

Message& Message::put_u8(uint16_t type, uint8_t value) {
    return put(type, std::as_bytes(std::span(&value, 1)));
}

Message& Message::put_u32(uint16_t type, uint32_t value) {
    return put(type, std::as_bytes(std::span(&value, 1)));
}

Message& Message::begin_nested(uint16_t type) {
    open_.push_back(bytes_.size());
    return put(static_cast<uint16_t>(type | NLA_F_NESTED), std::span<const std::byte>());
}

Message& Message::end_nested() {
    const size_t start = open_.back();
    open_.pop_back();
    const auto length = static_cast<uint16_t>(bytes_.size() - start);
    memcpy(bytes_.data() + start, &length, sizeof length);
    return *this;
}

std::span<const std::byte> Message::bytes(uint32_t sequence) {
    const auto length = static_cast<uint32_t>(bytes_.size());
    memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
    memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
    return bytes_;
}

std::map<uint16_t, std::span<const std::byte>> attributes(std::span<const std::byte> bytes) {
    std::map<uint16_t, std::span<const std::byte>> found;
    nlattr head;
    while (bytes.size() >= sizeof head) {
        memcpy(&head, bytes.data(), sizeof head);
        if (head.nla_len < NLA_HDRLEN || head.nla_len > bytes.size())
            break;
        found[head.nla_type & NLA_TYPE_MASK] = bytes.subspan(NLA_HDRLEN, head.nla_len - NLA_HDRLEN);
        const size_t step = NLA_ALIGN(head.nla_len);
        bytes = bytes.subspan(step < bytes.size() ? step : bytes.size());
    }
    return found;
}

std::string text_of(std::span<const std::byte> value) {
    const auto* text = reinterpret_cast<const char*>(value.data());
    return value.empty() ? std::string() : std::string(text, strnlen(text, value.size()));
}

uint32_t u32_of(std::span<const std::byte> value) {
    uint32_t number = 0;
    if (value.size() == sizeof number)
        memcpy(&number, value.data(), sizeof number);
    return number;
}

} // namespace hrun::net
