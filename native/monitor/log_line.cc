// SPDX-License-Identifier: Apache-2.0
#include "monitor/log_line.h"

#include <array>
#include <cstdint>

namespace hrun::monitor {

namespace {

constexpr char kHex[] = "0123456789abcdef";

// Bytes that may stand in a JSON string as they are; those of UTF-8 sequences are looked at first.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (unsigned byte = 0x20; byte < 0x80; ++byte)
        plain[byte] = byte != '\\' && byte != '"' && byte != '<' && byte != '>' && byte != '&';
    return plain;
}();

// What stands for an ASCII character that is not plain. A binary stream consists of little else, so each is one append.
struct Escape {
    std::array<char, 6> text;
    uint8_t length;
};

constexpr std::array<Escape, 128> kEscapes = [] {
    std::array<Escape, 128> escapes{};
    for (unsigned byte = 0; byte < 128; ++byte)
        escapes[byte] = {{'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]}, 6};
    for (const char byte : {'\\', '"'})
        escapes[static_cast<uint8_t>(byte)] = {{'\\', byte}, 2};
    escapes['\n'] = {{'\\', 'n'}, 2};
    escapes['\r'] = {{'\\', 'r'}, 2};
    return escapes;
}();

uint8_t byte_at(std::string_view text, size_t at) {
    return static_cast<uint8_t>(text[at]);
}

// Length of the valid UTF-8 sequence that `text` begins with, by RFC 3629; 0 when there is none.
size_t sequence_length(std::string_view text) {
    const uint8_t first = byte_at(text, 0);
    const size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                          : (first & 0xf0) == 0xe0         ? 3
                          : first >= 0xf0 && first <= 0xf4 ? 4
                                                           : 0;
    if (length == 0 || text.size() < length)
        return 0;
    const uint8_t second = byte_at(text, 1);
    const uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80; // no overlong forms
    const uint8_t most = first == 0xed   ? 0x9f
                         : first == 0xf4 ? 0x8f
                                         : 0xbf; // no surrogates, nothing past U+10FFFF
    if (second < least || second > most)
        return 0;
    for (size_t i = 2; i < length; ++i)
        if ((byte_at(text, i) & 0xc0) != 0x80)
            return 0;
    return length;
}

// Appends one character beyond ASCII; returns how many bytes of `text` it took.
size_t append_unicode(std::string& out, std::string_view text) {
    const size_t length = sequence_length(text);
    if (length == 0) {
        out += "\\ufffd";
        return 1;
    }
    if (text.starts_with("\xe2\x80\xa8") || text.starts_with("\xe2\x80\xa9")) {
        out += "\\u202";
        out += kHex[byte_at(text, 2) & 15];
    } else {
        out.append(text.substr(0, length));
    }
    return length;
}

void append_escaped(std::string& out, std::string_view text) {
    size_t at = 0;
    while (at < text.size()) {
        size_t end = at;
        while (end < text.size() && kPlain[byte_at(text, end)])
            ++end;
        out.append(text.substr(at, end - at));
        at = end;
        if (at == text.size())
            return;
        if (const uint8_t byte = byte_at(text, at); byte < 0x80) {
            out.append(kEscapes[byte].text.data(), kEscapes[byte].length);
            ++at;
        } else {
            at += append_unicode(out, text.substr(at));
        }
    }
}

} // namespace

std::string log_attributes(const std::map<std::string, std::string>& attributes) {
    std::string out;
    for (const auto& [key, value] : attributes) {
        out += out.empty() ? "{\"" : ",\"";
        append_escaped(out, key);
        out += "\":\"";
        append_escaped(out, value);
        out += '"';
    }
    if (!out.empty())
        out += '}';
    return out;
}

void append_log_line(std::string& out, std::string_view text, std::string_view stream,
                     std::string_view attributes, std::string_view time) {
    out += "{\"log\":\"";
    append_escaped(out, text);
    out += "\",\"stream\":\"";
    out += stream;
    out += '"';
    if (!attributes.empty()) {
        out += ",\"attrs\":";
        out += attributes;
    }
    out += ",\"time\":\"";
    out += time;
    out += "\"}\n";
}

} // namespace hrun::monitor
