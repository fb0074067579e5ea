// SPDX-License-Identifier: Apache-2.0
#include "erofs/tar_header.h"

#include <algorithm>
#include <cstring>

#include "erofs/layer_error.h"

namespace hrun::erofs {
namespace {

// Offsets and lengths of the fields.
struct Field {
    size_t offset, length;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12}, kMtime{136, 12},
    kChecksum{148, 8}, kLinkName{157, 100}, kMajor{329, 8}, kMinor{337, 8}, kPrefix{345, 155};
constexpr size_t kTypeflag = 156, kMagic = 257;

std::string text(const uint8_t* block, Field field) {
    auto* start = reinterpret_cast<const char*>(block + field.offset);
    return std::string(start, strnlen(start, field.length));
}

Result<int64_t> number(const uint8_t* block, Field field) {
    return parse_tar_number(block + field.offset, field.length);
}

// Two's complement, big-endian; the top bit of the first byte only marks the encoding.
Result<int64_t> parse_base256(const uint8_t* field, size_t length) {
    const bool negative = field[0] & 0x40;
    const uint8_t fill = negative ? 0xff : 0x00;
    uint64_t value = negative ? ~uint64_t{0} : 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = field[i];
        if (i == 0)
            byte = negative ? byte | 0x80 : byte & 0x7f;
        if (length - i > 8 && byte != fill)
            return corrupt("a number is out of range");
        value = value << 8 | byte;
    }
    auto result = static_cast<int64_t>(value);
    if ((result < 0) != negative)
        return corrupt("a number is out of range");
    return result;
}

// The sum of all bytes with the checksum field read as spaces. Some old writers summed signed chars.
bool checksum_matches(const uint8_t* block) {
    Result<int64_t> stored = number(block, kChecksum);
    if (!stored)
        return false;
    int64_t sum_unsigned = 0, sum_signed = 0;
    for (size_t i = 0; i < kTarBlockBytes; i++) {
        bool in_field = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.length;
        uint8_t byte = in_field ? ' ' : block[i];
        sum_unsigned += byte;
        sum_signed += static_cast<int8_t>(byte);
    }
    return *stored == sum_unsigned || *stored == sum_signed;
}

TarFormat detect_format(const uint8_t* block) {
    if (memcmp(block + kMagic, "ustar  \0", 8) == 0)
        return TarFormat::kGnu;
    if (memcmp(block + kMagic, "ustar\0", 6) == 0)
        return TarFormat::kUstar;
    return TarFormat::kV7;
}

Result<void> parse_numbers(const uint8_t* block, TarHeader& header) {
    struct {
        Field field;
        int64_t* to;
    } const fields[] = {
        {kUid, &header.uid}, {kGid, &header.gid}, {kSize, &header.size}, {kMtime, &header.mtime}};
    for (auto& [field, to] : fields) {
        Result<int64_t> value = number(block, field);
        if (!value)
            return value.error();
        *to = *value;
    }
    Result<int64_t> mode = number(block, kMode);
    if (!mode)
        return mode.error();
    header.mode = static_cast<uint64_t>(*mode);
    return {};
}

// Only devices need these, and other writers leave rubbish here.
Result<void> parse_device(const uint8_t* block, TarHeader& header) {
    if (header.typeflag != '3' && header.typeflag != '4')
        return {};
    Result<int64_t> major = number(block, kMajor), minor = number(block, kMinor);
    if (!major)
        return major.error();
    if (!minor)
        return minor.error();
    header.device_major = *major;
    header.device_minor = *minor;
    return {};
}

} // namespace

bool is_zero_block(const uint8_t* block) {
    return std::all_of(block, block + kTarBlockBytes, [](uint8_t byte) { return byte == 0; });
}

Result<int64_t> parse_tar_number(const uint8_t* field, size_t length) {
    if (length > 0 && field[0] & 0x80)
        return parse_base256(field, length);
    size_t at = 0;
    while (at < length && field[at] == ' ')
        at++;
    uint64_t value = 0;
    for (; at < length && field[at] >= '0' && field[at] <= '7'; at++)
        value = value << 3 | static_cast<uint64_t>(field[at] - '0'); // at most 36 bits
    for (; at < length; at++)
        if (field[at] != ' ' && field[at] != '\0')
            return corrupt("a number is not octal");
        else if (field[at] == '\0')
            break;
    return static_cast<int64_t>(value);
}

Result<TarHeader> parse_tar_header(const uint8_t* block) {
    if (!checksum_matches(block))
        return corrupt("the tar header's checksum is wrong");
    TarHeader header;
    header.format = detect_format(block);
    header.typeflag = static_cast<char>(block[kTypeflag]);
    header.path = text(block, kName);
    header.link_target = text(block, kLinkName);
    if (header.format == TarFormat::kUstar)
        if (std::string prefix = text(block, kPrefix); !prefix.empty())
            header.path = prefix + "/" + header.path;
    HRUN_TRY(parse_numbers(block, header));
    HRUN_TRY(parse_device(block, header));
    return header;
}

} // namespace hrun::erofs
