// SPDX-License-Identifier: Apache-2.0
#include "erofs/pax.h"

#include <charconv>

#include "erofs/layer_error.h"

namespace hrun::erofs {
namespace {

constexpr std::string_view kSparseOffset = "GNU.sparse.offset", kSparseBytes = "GNU.sparse.numbytes",
                           kSparseMap = "GNU.sparse.map";

// Splits the first record off `rest`.
Result<std::string_view> next_record(std::string_view& rest) {
    size_t length = 0;
    auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    size_t digits = static_cast<size_t>(end - rest.data());
    if (failed != std::errc{} || digits == rest.size() || *end != ' ')
        return corrupt("a pax header has a record without a length");
    if (length > rest.size() || length < digits + 2 || rest[length - 1] != '\n')
        return corrupt("a pax header has a record of the wrong length");
    std::string_view record = rest.substr(digits + 1, length - digits - 2);
    rest.remove_prefix(length);
    return record;
}

// Values that become names end at no NUL in between; xattr values may hold any byte.
bool may_hold_nul(std::string_view key) {
    return key.starts_with("SCHILY.xattr.") || key.starts_with("LIBARCHIVE.xattr.");
}

// Format 0.0: "offset" and "numbytes" come in pairs, any number of times.
void join_sparse_0_0(PaxRecords& records, std::string_view value) {
    std::string& map = records[std::string(kSparseMap)];
    if (!map.empty())
        map += ',';
    map += value;
}

Result<void> add_record(std::string_view record, PaxRecords& records) {
    size_t equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0)
        return corrupt("a pax header has a record without a key");
    std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key.find('\0') != std::string_view::npos ||
        (value.find('\0') != std::string_view::npos && !may_hold_nul(key)))
        return corrupt("a pax header has a NUL byte in " + std::string(key.substr(0, key.find('\0'))));
    if (key == kSparseOffset || key == kSparseBytes)
        join_sparse_0_0(records, value);
    else
        records.insert_or_assign(std::string(key), std::string(value));
    return {};
}

} // namespace

Result<void> parse_pax(std::string_view header, PaxRecords& records) {
    while (!header.empty()) {
        Result<std::string_view> record = next_record(header);
        if (!record)
            return record.error();
        HRUN_TRY(add_record(*record, records));
    }
    return {};
}

Result<int64_t> parse_pax_number(std::string_view text) {
    int64_t value = 0;
    auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size())
        return corrupt("a pax header has a number that is none");
    return value;
}

Result<PaxTime> parse_pax_time(std::string_view text) {
    size_t dot = text.find('.');
    std::string_view whole = text.substr(0, dot);
    const bool negative = whole.starts_with('-');
    Result<int64_t> seconds = parse_pax_number(whole);
    if (!seconds)
        return seconds.error();
    uint32_t nanoseconds = 0, unit = 100'000'000;
    for (char digit : dot == std::string_view::npos ? "" : text.substr(dot + 1)) {
        if (digit < '0' || digit > '9')
            return corrupt("a pax header has a time that is none");
        nanoseconds += static_cast<uint32_t>(digit - '0') * unit;
        unit /= 10;
    }
    if (!negative || nanoseconds == 0)
        return PaxTime{*seconds, nanoseconds};
    if (*seconds == INT64_MIN)
        return corrupt("a pax header has a time that is none");
    return PaxTime{*seconds - 1, 1'000'000'000 - nanoseconds};
}

} // namespace hrun::erofs
