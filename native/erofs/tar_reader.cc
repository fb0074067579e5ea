// SPDX-License-Identifier: Apache-2.0
#include "erofs/tar_reader.h"

#include <algorithm>
#include <cstring>

#include "erofs/layer_error.h"
#include "erofs/pax_fields.h"

namespace hrun::erofs {
namespace {

uint64_t padding(uint64_t size) {
    return -size % kTarBlockBytes;
}

// The old-fashioned and the unknown types are files (IEEE Std 1003.1, pax, "typeflag").
EntryType entry_type(const TarHeader& header) {
    switch (header.typeflag) {
    case '1':
        return EntryType::kHardLink;
    case '2':
        return EntryType::kSymlink;
    case '3':
        return EntryType::kCharDevice;
    case '4':
        return EntryType::kBlockDevice;
    case '5':
        return EntryType::kDirectory;
    case '6':
        return EntryType::kFifo;
    case '\0': // v7 marked directories by their slash only
        return header.path.ends_with('/') ? EntryType::kDirectory : EntryType::kFile;
    default:
        return EntryType::kFile;
    }
}

// Names that a header of an earlier entry may hold end at the first NUL.
std::string until_nul(std::string text) {
    text.resize(strnlen(text.data(), text.size()));
    return text;
}

Result<uint32_t> checked_u32(int64_t value, const char* field) {
    if (value < 0 || value > UINT32_MAX)
        return corrupt(std::string("the ") + field + " " + std::to_string(value) + " is out of range");
    return static_cast<uint32_t>(value);
}

Result<void> fill_numbers(const TarHeader& header, TarEntry& entry) {
    struct {
        int64_t from;
        uint32_t* to;
        const char* field;
    } const fields[] = {{header.uid, &entry.metadata.uid, "uid"},
                        {header.gid, &entry.metadata.gid, "gid"},
                        {header.device_major, &entry.device_major, "device's major number"},
                        {header.device_minor, &entry.device_minor, "device's minor number"}};
    for (auto& [from, to, field] : fields) {
        Result<uint32_t> value = checked_u32(from, field);
        if (!value)
            return value.error();
        *to = *value;
    }
    return {};
}

} // namespace

Result<bool> TarReader::next(TarEntry& entry) {
    HRUN_TRY(skip_entry());
    Extras extras;
    extras.records = global_;
    for (;;) {
        Block block;
        TarHeader header;
        Result<Step> step = read_header(block, header);
        if (step && *step == Step::kMore)
            step = read_extra(header, extras);
        if (!step)
            return step.error();
        if (*step == Step::kEnd)
            return false;
        if (*step == Step::kMore)
            continue;
        HRUN_TRY(fill_entry(block, header, extras, entry));
        return true;
    }
}

Result<Slice> TarReader::read() {
    if (data_left_ == 0)
        return Slice{};
    Result<Slice> slice = source_.next(data_left_);
    if (!slice)
        return slice.error();
    if (slice->size == 0)
        return corrupt("the tar ends in the middle of a file's data");
    data_left_ -= slice->size;
    return slice;
}

// kMore: a header that may belong to a later entry; kEnd: the archive is over.
Result<TarReader::Step> TarReader::read_header(Block& block, TarHeader& header) {
    Result<bool> got = read_block(block);
    if (got && *got && is_zero_block(block.data())) {
        got = read_block(block);
        if (got && *got && !is_zero_block(block.data()))
            return corrupt("the tar has a single zero block between its entries");
        if (got)
            return Step::kEnd;
    }
    if (!got)
        return got.error();
    if (!*got)
        return Step::kEnd;
    Result<TarHeader> parsed = parse_tar_header(block.data());
    if (!parsed)
        return parsed.error();
    header = std::move(*parsed);
    return Step::kMore;
}

Result<TarReader::Step> TarReader::read_extra(const TarHeader& header, Extras& extras) {
    if (!strchr("xXgLKV", header.typeflag) || header.typeflag == '\0')
        return Step::kEntry;
    Result<std::string> payload = read_payload(header.size);
    if (!payload)
        return payload.error();
    if (header.typeflag == 'L')
        extras.gnu_path = until_nul(std::move(*payload));
    if (header.typeflag == 'K')
        extras.gnu_link_target = until_nul(std::move(*payload));
    if (header.typeflag == 'x' || header.typeflag == 'X') {
        extras.records = global_;
        HRUN_TRY(parse_pax(*payload, extras.records));
    }
    if (header.typeflag == 'g') {
        HRUN_TRY(read_global(*payload));
        extras.records = global_;
    }
    return Step::kMore;
}

// Keeps what can sensibly hold for many entries, so that a global header costs no more than its own size.
Result<void> TarReader::read_global(std::string_view payload) {
    PaxRecords records;
    HRUN_TRY(parse_pax(payload, records));
    for (const char* key : {"uid", "gid", "mtime"})
        if (auto found = records.find(key); found != records.end())
            global_.insert_or_assign(key, found->second);
    return {};
}

Result<void> TarReader::fill_entry(const Block& block, const TarHeader& raw, const Extras& extras,
                                   TarEntry& entry) {
    entry = TarEntry{};
    TarHeader header = raw;
    HRUN_TRY(apply_pax_fields(extras.records, header, entry.metadata.mtime.nanoseconds));
    if (!extras.gnu_path.empty())
        header.path = extras.gnu_path;
    if (!extras.gnu_link_target.empty())
        header.link_target = extras.gnu_link_target;
    current_path_ = entry.path = header.path;
    entry.link_target = header.link_target;
    entry.type = entry_type(header);
    entry.metadata.permissions = header.mode & 07777;
    entry.metadata.mtime.seconds = header.mtime;
    entry.metadata.xattrs = pax_xattrs(extras.records);
    HRUN_TRY(fill_numbers(header, entry));
    if (entry.type != EntryType::kFile)
        return {}; // writers put sizes here that no data follows
    if (header.size < 0)
        return corrupt("a file's size is negative");
    data_left_ = entry.size = static_cast<uint64_t>(header.size);
    padding_left_ = padding(data_left_);
    if (header.typeflag == 'S')
        HRUN_TRY(read_old_gnu_map(block, entry));
    else
        HRUN_TRY(read_pax_sparse(extras.records, entry));
    if (std::max(entry.size, data_left_) > limits_.max_file_bytes)
        return over_limit("a file of more than " + std::to_string(limits_.max_file_bytes) + " bytes");
    return {};
}

// Old GNU format: 4 pairs at 386, more in blocks of 21 pairs while the flag says so; true size at 483.
Result<void> TarReader::read_old_gnu_map(const Block& first, TarEntry& entry) {
    constexpr size_t kPairBytes = 24, kMapOffset = 386, kMapPairs = 4, kMoreFlag = 482, kRealSize = 483,
                     kExtensionPairs = 21, kExtensionMoreFlag = 504;
    SparseMap map;
    auto add_pairs = [&](const uint8_t* pair, size_t count) -> Result<void> {
        for (size_t i = 0; i < count; i++, pair += kPairBytes) {
            SparseExtent extent;
            Result<bool> more = parse_sparse_pair(pair, extent);
            if (!more)
                return more.error();
            if (!*more)
                break;
            map.push_back(extent);
        }
        if (map.size() > limits_.max_sparse_extents)
            return over_limit("more than " + std::to_string(limits_.max_sparse_extents) +
                              " extents in a sparse file");
        return {};
    };
    HRUN_TRY(add_pairs(first.data() + kMapOffset, kMapPairs));
    for (bool more = first[kMoreFlag] != 0; more;) {
        Block block;
        HRUN_TRY(read_exactly(block.data(), block.size()));
        HRUN_TRY(add_pairs(block.data(), kExtensionPairs));
        more = block[kExtensionMoreFlag] != 0;
    }
    Result<int64_t> real_size = parse_tar_number(first.data() + kRealSize, 12);
    if (!real_size || *real_size < 0)
        return corrupt("a sparse file's size is wrong");
    entry.size = static_cast<uint64_t>(*real_size);
    HRUN_TRY(check_sparse_map(map, entry.size, data_left_));
    entry.sparse = std::move(map);
    return {};
}

// Formats 0.0, 0.1 and 1.0 (pax).
Result<void> TarReader::read_pax_sparse(const PaxRecords& records, TarEntry& entry) {
    const std::string* list = pax_value(records, "GNU.sparse.map");
    const std::string* major = pax_value(records, "GNU.sparse.major");
    const bool in_data = major && *major == "1";
    if (!list && !in_data)
        return {};
    if (const std::string* path = pax_value(records, "GNU.sparse.name"))
        current_path_ = entry.path = *path;
    Result<SparseMap> map = in_data ? read_map_1_0() : parse_sparse_list(*list, limits_.max_sparse_extents);
    if (!map)
        return map.error();
    Result<uint64_t> size = pax_size(records, "GNU.sparse.size", data_left_);
    if (size)
        size = pax_size(records, "GNU.sparse.realsize", *size);
    if (!size)
        return size.error();
    entry.size = *size;
    HRUN_TRY(check_sparse_map(*map, entry.size, data_left_));
    entry.sparse = std::move(*map);
    return {};
}

// Format 1.0: decimal lines at the start of the data, padded to a block: the count, then offsets and lengths.
Result<SparseMap> TarReader::read_map_1_0() {
    std::string buffered;
    size_t at = 0;
    Result<uint64_t> count = read_map_number(buffered, at);
    if (!count)
        return count.error();
    if (*count > limits_.max_sparse_extents)
        return over_limit("more than " + std::to_string(limits_.max_sparse_extents) +
                          " extents in a sparse file");
    SparseMap map;
    for (uint64_t i = 0; i < *count; i++) {
        Result<uint64_t> offset = read_map_number(buffered, at);
        if (!offset)
            return offset.error();
        Result<uint64_t> length = read_map_number(buffered, at);
        if (!length)
            return length.error();
        map.push_back({*offset, *length});
    }
    return map;
}

// The next line; fetches a further block of the data when `buffered` is used up.
Result<uint64_t> TarReader::read_map_number(std::string& buffered, size_t& at) {
    constexpr size_t kMaxDigits = 19;
    size_t newline;
    while ((newline = buffered.find('\n', at)) == std::string::npos) {
        if (buffered.size() - at > kMaxDigits || data_left_ < kTarBlockBytes)
            return corrupt("a sparse map is not closed");
        buffered.erase(0, at);
        at = 0;
        Block block;
        HRUN_TRY(read_exactly(block.data(), block.size()));
        data_left_ -= block.size();
        buffered.append(reinterpret_cast<char*>(block.data()), block.size());
    }
    Result<int64_t> value = parse_pax_number(std::string_view(buffered).substr(at, newline - at));
    if (!value || *value < 0)
        return corrupt("a sparse map has a number that is none");
    at = newline + 1;
    return static_cast<uint64_t>(*value);
}

Result<std::string> TarReader::read_payload(int64_t size) {
    if (size < 0)
        return corrupt("an extended header's size is negative");
    if (static_cast<uint64_t>(size) > limits_.max_header_bytes)
        return over_limit("an extended header of more than " + std::to_string(limits_.max_header_bytes) +
                          " bytes");
    std::string payload(static_cast<size_t>(size), '\0');
    HRUN_TRY(read_exactly(reinterpret_cast<uint8_t*>(payload.data()), payload.size()));
    Block rest;
    HRUN_TRY(read_exactly(rest.data(), padding(payload.size())));
    return payload;
}

Result<void> TarReader::skip_entry() {
    for (uint64_t* left : {&data_left_, &padding_left_})
        while (*left > 0) {
            Result<Slice> slice = source_.next(*left);
            if (!slice)
                return slice.error();
            if (slice->size == 0)
                return corrupt("the tar ends in the middle of a file's data");
            *left -= slice->size;
        }
    return {};
}

// False if the stream ends exactly here.
Result<bool> TarReader::read_block(Block& block) {
    Result<Slice> first = source_.next(block.size());
    if (!first)
        return first.error();
    if (first->size == 0)
        return false;
    memcpy(block.data(), first->data, first->size);
    HRUN_TRY(read_exactly(block.data() + first->size, block.size() - first->size));
    return true;
}

Result<void> TarReader::read_exactly(uint8_t* to, size_t size) {
    while (size > 0) {
        Result<Slice> slice = source_.next(size);
        if (!slice)
            return slice.error();
        if (slice->size == 0)
            return corrupt("the tar ends in the middle of a header");
        memcpy(to, slice->data, slice->size);
        to += slice->size;
        size -= slice->size;
    }
    return {};
}

} // namespace hrun::erofs
