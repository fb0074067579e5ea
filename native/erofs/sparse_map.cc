// SPDX-License-Identifier: Apache-2.0
#include "erofs/sparse_map.h"

#include "erofs/layer_error.h"
#include "erofs/pax.h"
#include "erofs/tar_header.h"

namespace hrun::erofs {
namespace {

constexpr size_t kNumberBytes = 12;

Result<uint64_t> next_number(std::string_view& rest) {
    size_t comma = rest.find(',');
    Result<int64_t> value = parse_pax_number(rest.substr(0, comma));
    if (!value)
        return value.error();
    if (*value < 0)
        return corrupt("a sparse map has a negative number");
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    return static_cast<uint64_t>(*value);
}

} // namespace

Result<SparseMap> parse_sparse_list(std::string_view text, uint64_t max_extents) {
    SparseMap map;
    while (!text.empty()) {
        Result<uint64_t> offset = next_number(text);
        if (!offset)
            return offset.error();
        if (text.empty())
            return corrupt("a sparse map has an offset without a length");
        Result<uint64_t> length = next_number(text);
        if (!length)
            return length.error();
        if (map.size() == max_extents)
            return over_limit("more than " + std::to_string(max_extents) + " extents in a sparse file");
        map.push_back({*offset, *length});
    }
    return map;
}

Result<bool> parse_sparse_pair(const uint8_t* pair, SparseExtent& extent) {
    if (pair[0] == 0)
        return false;
    Result<int64_t> offset = parse_tar_number(pair, kNumberBytes);
    Result<int64_t> length = parse_tar_number(pair + kNumberBytes, kNumberBytes);
    if (!offset || !length || *offset < 0 || *length < 0)
        return corrupt("a sparse map has a number that is none");
    extent = {static_cast<uint64_t>(*offset), static_cast<uint64_t>(*length)};
    return true;
}

Result<void> check_sparse_map(SparseMap& map, uint64_t file_bytes, uint64_t stored_bytes) {
    uint64_t end = 0, stored = 0;
    for (const SparseExtent& extent : map) {
        if (extent.offset < end || extent.offset > file_bytes || extent.length > file_bytes - extent.offset)
            return corrupt("a sparse map is out of order or reaches past the file's end");
        end = extent.offset + extent.length;
        stored += extent.length; // no overflow: extents do not overlap and lie inside the file
    }
    if (stored != stored_bytes)
        return corrupt("a sparse map does not add up to the data that follows it");
    std::erase_if(map, [](const SparseExtent& extent) { return extent.length == 0; });
    return {};
}

} // namespace hrun::erofs
