// SPDX-License-Identifier: Apache-2.0
#include "names/dns_message.h"

#include <algorithm>
#include <charconv>
#include <span>

namespace hrun::names {

namespace {

constexpr size_t kFlags = 2, kQuestions = 4, kAnswers = 6;
constexpr size_t kMostName = 255, kMostLabel = 63;
constexpr uint16_t kClassIn = 1;
constexpr uint8_t kResponse = 0x80, kOpcode = 0x78, kAuthoritative = 0x04, kRecursionDesired = 0x01;
constexpr uint8_t kRecursionAvailable = 0x80;
constexpr uint16_t kPointerToQuestion = 0xc000 | kHeader; // RFC 1035, 4.1.4
constexpr size_t kMostAnswers = 16;
constexpr size_t kMostResponse = 512; // RFC 1035, 2.3.4
constexpr size_t kMostFound = 64;
constexpr size_t kRecordHead = 10;           // type, class, time to live, length of the data: RFC 1035, 4.1.3
constexpr uint8_t kCompressed = 0xc0;        // the name goes on elsewhere: RFC 1035, 4.1.4
constexpr uint32_t kMostSeconds = INT32_MAX; // RFC 2181, 8
constexpr std::string_view kReverse = ".in-addr.arpa", kReverse6 = ".ip6.arpa";

uint8_t byte_at(std::string_view message, size_t offset) {
    return static_cast<uint8_t>(message[offset]);
}

uint16_t number_at(std::string_view message, size_t offset) {
    return static_cast<uint16_t>(byte_at(message, offset) << 8 | byte_at(message, offset + 1));
}

void put_number(std::string& message, uint16_t value) {
    message += static_cast<char>(value >> 8);
    message += static_cast<char>(value);
}

void set_number(std::string& message, size_t offset, uint16_t value) {
    message[offset] = static_cast<char>(value >> 8);
    message[offset + 1] = static_cast<char>(value);
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_plain(char c) {
    return c > ' ' && c < 0x7f && c != '.';
}

// Reads labels up to the root's; false when they do not end within the message, or are no plain labels.
bool read_name(std::string_view message, size_t& at, std::string& name) {
    bool plain = true;
    const size_t start = at;
    while (at < message.size() && at - start < kMostName) {
        const size_t length = byte_at(message, at++);
        if (length == 0) {
            if (!plain)
                name.clear();
            return true;
        }
        if (length > kMostLabel || length > message.size() - at)
            return false;
        const std::string_view label = message.substr(at, length);
        plain = plain && std::all_of(label.begin(), label.end(), is_plain);
        if (!name.empty())
            name += '.';
        std::transform(label.begin(), label.end(), std::back_inserter(name), lower);
        at += length;
    }
    return false;
}

// Where a name ends, whatever it is; nothing when that is not within the message.
std::optional<size_t> end_of_name(std::string_view message, size_t at) {
    while (at < message.size()) {
        const uint8_t length = byte_at(message, at);
        if (length == 0)
            return at + 1;
        if ((length & kCompressed) == kCompressed)
            return at + 2;
        at += 1 + size_t{length};
    }
    return std::nullopt;
}

uint32_t wide_number_at(std::string_view message, size_t offset) {
    return uint32_t{number_at(message, offset)} << 16 | number_at(message, offset + 2);
}

// Behind the questions; nothing when they are not whole.
std::optional<size_t> first_answer(std::string_view response) {
    size_t at = kHeader;
    for (uint16_t left = number_at(response, kQuestions); left > 0; --left) {
        const auto end = end_of_name(response, at);
        if (!end)
            return std::nullopt;
        at = *end + 4;
    }
    return at;
}

// "2.0.31.172"
std::optional<Ip> reverse_ip4(std::string_view name) {
    Ip ip;
    const char *at = name.data(), *const end = at + name.size();
    for (size_t part = 4; part-- > 0;) {
        uint8_t value = 0;
        const auto [next, error] = std::from_chars(at, end, value);
        if (error != std::errc() || (part > 0 ? next == end || *next != '.' : next != end))
            return std::nullopt;
        ip.bytes[part] = std::byte{value};
        at = next + 1;
    }
    return ip;
}

// "2.0.0. … .d.f": the digits of all 16 bytes, the last first (RFC 3596, 2.5)
std::optional<Ip> reverse_ip6(std::string_view name) {
    constexpr size_t kDigits = 32;
    Ip ip{AF_INET6, {}};
    if (name.size() != 2 * kDigits - 1)
        return std::nullopt;
    for (size_t digit = 0; digit < kDigits; ++digit) {
        uint8_t value = 0;
        const char* const at = name.data() + 2 * digit;
        const auto [next, error] = std::from_chars(at, at + 1, value, 16);
        if (error != std::errc() || next != at + 1 || (digit + 1 < kDigits && *next != '.'))
            return std::nullopt;
        ip.bytes[15 - digit / 2] |= std::byte{value} << (digit % 2 ? 4 : 0);
    }
    return ip;
}

} // namespace

std::optional<Question> parse_query(std::string_view message) {
    if (message.size() < kHeader || (byte_at(message, kFlags) & (kResponse | kOpcode)) != 0 ||
        number_at(message, kQuestions) != 1 || number_at(message, kAnswers) != 0)
        return std::nullopt;
    Question question{};
    size_t at = kHeader;
    if (!read_name(message, at, question.name) || message.size() - at < 4 ||
        number_at(message, at + 2) != kClassIn)
        return std::nullopt;
    question.type = number_at(message, at);
    question.end = at + 4;
    return question;
}

// A record's time to live is 0: who comes and goes is asked for each time.
std::string make_response(std::string_view query, const Question& question, ResponseCode code,
                          const std::vector<Answer>& answers) {
    std::string response(query.substr(0, question.end));
    const uint8_t authoritative = code == ResponseCode::kNone ? kAuthoritative : 0;
    response[kFlags] =
        static_cast<char>(kResponse | authoritative | (byte_at(query, kFlags) & kRecursionDesired));
    response[kFlags + 1] = static_cast<char>(kRecursionAvailable | static_cast<uint8_t>(code));
    std::fill(response.begin() + kAnswers, response.begin() + kHeader, '\0');
    uint16_t count = 0;
    for (const Answer& answer : answers) {
        if (count == kMostAnswers || response.size() + 2 + kRecordHead + answer.data.size() > kMostResponse)
            break;
        set_number(response, kAnswers, ++count);
        put_number(response, kPointerToQuestion);
        put_number(response, static_cast<uint16_t>(answer.type));
        put_number(response, kClassIn);
        response.append(4, '\0');
        put_number(response, static_cast<uint16_t>(answer.data.size()));
        response += answer.data;
    }
    return response;
}

std::vector<FoundAddress> addresses_in(std::string_view response) {
    std::vector<FoundAddress> found;
    if (response.size() < kHeader)
        return found;
    auto at = first_answer(response);
    for (uint16_t left = number_at(response, kAnswers); at && left > 0 && found.size() < kMostFound; --left) {
        const auto head = end_of_name(response, *at);
        if (!head || response.size() < kRecordHead || *head > response.size() - kRecordHead)
            break;
        const size_t data = *head + kRecordHead, length = number_at(response, data - 2);
        if (length > response.size() - data)
            break;
        const auto type = static_cast<RecordType>(number_at(response, *head));
        const auto address = ip_of(std::as_bytes(std::span(response.substr(data, length))));
        if (address && number_at(response, *head + 2) == kClassIn &&
            type == (address->family == AF_INET ? RecordType::kA : RecordType::kAaaa))
            found.push_back({*address, std::min(wide_number_at(response, *head + 4), kMostSeconds)});
        at = data + length;
    }
    return found;
}

std::string encode_name(std::string_view name) {
    std::string bytes;
    while (!name.empty()) {
        const size_t dot = std::min(name.find('.'), name.size());
        const std::string_view label = name.substr(0, std::min(dot, kMostLabel));
        bytes += static_cast<char>(label.size());
        bytes += label;
        name.remove_prefix(std::min(dot + 1, name.size()));
    }
    return bytes + '\0';
}

std::optional<Ip> reverse_address(std::string_view name) {
    if (name.ends_with(kReverse6))
        return reverse_ip6(name.substr(0, name.size() - kReverse6.size()));
    if (!name.ends_with(kReverse))
        return std::nullopt;
    return reverse_ip4(name.substr(0, name.size() - kReverse.size()));
}

uint16_t id_of(std::string_view message) {
    return number_at(message, 0);
}

void set_id(std::string& message, uint16_t id) {
    set_number(message, 0, id);
}

bool answers_question(std::string_view response, std::string_view query) {
    return response.size() >= kHeader && (byte_at(response, kFlags) & kResponse) != 0 &&
           id_of(response) == id_of(query);
}

} // namespace hrun::names
