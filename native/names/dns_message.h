// SPDX-License-Identifier: Apache-2.0
// DNS messages (RFC 1035, section 4), as far as a resolver needs to understand what it answers itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"

namespace hrun::names {

constexpr size_t kHeader = 12;
constexpr size_t kMostBytes = 65535;

enum class RecordType : uint16_t { kA = 1, kPtr = 12, kAaaa = 28, kAny = 255 };
enum class ResponseCode : uint8_t { kNone = 0, kServerFailure = 2, kRefused = 5 };

struct Question {
    std::string name; // in lower case, without the last dot; empty for one that no machine can have
    uint16_t type;
    size_t end; // of the question in the message
};

// One answer: the data of an A, an AAAA or a PTR record.
struct Answer {
    RecordType type;
    std::string data;
};

// The question of a standard query of class IN; nothing for any other message.
std::optional<Question> parse_query(std::string_view message);

// The response to a query that parse_query took.
std::string make_response(std::string_view query, const Question& question, ResponseCode code,
                          const std::vector<Answer>& answers);

// An address that a response gives for whatever name it was asked for, and for how many seconds.
struct FoundAddress {
    Ip address;
    uint32_t seconds;
};

// The A and AAAA records among the answers of a response, up to 64 and up to the first that cannot be read.
std::vector<FoundAddress> addresses_in(std::string_view response);

// Data of a PTR record: a name of labels of at most 63 bytes.
std::string encode_name(std::string_view name);

// The address that "2.0.31.172.in-addr.arpa" asks for, or the 32 digits of one of IPv6 below "ip6.arpa".
std::optional<Ip> reverse_address(std::string_view name);

uint16_t id_of(std::string_view message);
void set_id(std::string& message, uint16_t id);
// The same question comes back in a response: id aside, what a forger would have to guess.
bool answers_question(std::string_view response, std::string_view query);

} // namespace hrun::names
