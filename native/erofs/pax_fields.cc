// SPDX-License-Identifier: Apache-2.0
#include "erofs/pax_fields.h"

#include "erofs/layer_error.h"

namespace hrun::erofs {
namespace {

constexpr std::string_view kXattrPrefix = "SCHILY.xattr.";

Result<void> apply_number(const PaxRecords& records, std::string_view key, int64_t& to) {
    const std::string* text = pax_value(records, key);
    if (!text)
        return {};
    Result<int64_t> value = parse_pax_number(*text);
    if (!value)
        return value.error();
    to = *value;
    return {};
}

} // namespace

const std::string* pax_value(const PaxRecords& records, std::string_view key) {
    auto found = records.find(key);
    return found == records.end() || found->second.empty() ? nullptr : &found->second;
}

Result<uint64_t> pax_size(const PaxRecords& records, std::string_view key, uint64_t fallback) {
    auto value = static_cast<int64_t>(fallback);
    HRUN_TRY(apply_number(records, key, value));
    if (value < 0)
        return corrupt("a pax header has a negative size");
    return static_cast<uint64_t>(value);
}

Result<void> apply_pax_fields(const PaxRecords& records, TarHeader& header, uint32_t& nanoseconds) {
    if (const std::string* path = pax_value(records, "path"))
        header.path = *path;
    if (const std::string* target = pax_value(records, "linkpath"))
        header.link_target = *target;
    HRUN_TRY(apply_number(records, "size", header.size));
    HRUN_TRY(apply_number(records, "uid", header.uid));
    HRUN_TRY(apply_number(records, "gid", header.gid));
    if (const std::string* text = pax_value(records, "mtime")) {
        Result<PaxTime> time = parse_pax_time(*text);
        if (!time)
            return time.error();
        header.mtime = time->seconds;
        nanoseconds = time->nanoseconds;
    }
    return {};
}

std::vector<Xattr> pax_xattrs(const PaxRecords& records) {
    std::vector<Xattr> xattrs;
    for (auto at = records.lower_bound(kXattrPrefix); at != records.end(); ++at) {
        if (!at->first.starts_with(kXattrPrefix))
            break;
        if (!at->second.empty())
            xattrs.push_back({at->first.substr(kXattrPrefix.size()), at->second});
    }
    return xattrs;
}

} // namespace hrun::erofs
