// SPDX-License-Identifier: Apache-2.0
#include "erofs/xattr.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "erofs/layer_error.h"
#include "erofs/layout.h"
#include "erofs/limits.h"

namespace hrun::erofs {
namespace {

struct Prefix {
    std::string_view text;
    uint8_t index;   // EROFS_XATTR_INDEX_*
    bool whole_name; // nothing follows
};
constexpr Prefix kPrefixes[] = {
    {"user.", 1, false},
    {"system.posix_acl_access", 2, true},
    {"system.posix_acl_default", 3, true},
    {"trusted.", 4, false},
    {"security.", 6, false},
};

const Prefix* find_prefix(std::string_view name) {
    for (const Prefix& prefix : kPrefixes)
        if (prefix.whole_name ? name == prefix.text
                              : name.starts_with(prefix.text) && name.size() > prefix.text.size())
            return &prefix;
    return nullptr;
}

template <class T> void append_bytes(std::string& to, const T& value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

Result<void> append_entry(std::string& to, const Xattr& xattr) {
    const Prefix* prefix = find_prefix(xattr.name);
    std::string_view name = std::string_view(xattr.name).substr(prefix->text.size());
    if (xattr.name.size() > kMaxNameBytes)
        return over_limit("an xattr name of more than " + std::to_string(kMaxNameBytes) + " bytes");
    if (xattr.value.size() > kMaxXattrValueBytes)
        return over_limit("an xattr value of more than " + std::to_string(kMaxXattrValueBytes) + " bytes");
    append_bytes(to, XattrEntry{static_cast<uint8_t>(name.size()), prefix->index,
                                static_cast<uint16_t>(xattr.value.size())});
    to += name;
    to += xattr.value;
    to.resize(round_up(to.size(), 4));
    return {};
}

} // namespace

bool xattr_is_kept(const std::string& name) {
    return find_prefix(name) && !name.starts_with("trusted.overlay.") && !name.starts_with("user.overlay.") &&
           name != "security.selinux" && name.find('\0') == std::string::npos;
}

Result<std::string> encode_xattrs(std::vector<Xattr> xattrs) {
    std::sort(xattrs.begin(), xattrs.end(), [](const Xattr& a, const Xattr& b) { return a.name < b.name; });
    std::string entries;
    for (const Xattr& xattr : xattrs)
        HRUN_TRY(append_entry(entries, xattr));
    return entries;
}

Result<std::string> xattr_body(const std::string& entries) {
    if (entries.empty())
        return std::string();
    if (entries.size() / 4 + 1 > UINT16_MAX)
        return over_limit("more than 256 KiB of xattrs on one file");
    std::string body;
    append_bytes(body, XattrHeader{});
    return body + entries;
}

uint16_t xattr_count(size_t body_bytes) {
    return body_bytes == 0 ? 0 : static_cast<uint16_t>((body_bytes - sizeof(XattrHeader)) / 4 + 1);
}

bool split_overlay_xattrs(std::string_view entries, std::string& kept, bool& opaque) {
    constexpr uint8_t kTrusted = 4;
    while (!entries.empty()) {
        XattrEntry entry;
        if (entries.size() < sizeof entry)
            return false;
        memcpy(&entry, entries.data(), sizeof entry);
        const size_t size = round_up(sizeof entry + entry.name_length + entry.value_size, 4);
        if (size > entries.size())
            return false;
        const std::string_view name = entries.substr(sizeof entry, entry.name_length);
        if (entry.name_index == kTrusted && name.starts_with("overlay."))
            opaque |= name == "overlay.opaque";
        else
            kept += entries.substr(0, size);
        entries.remove_prefix(size);
    }
    return true;
}

} // namespace hrun::erofs
