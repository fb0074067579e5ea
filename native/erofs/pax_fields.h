// SPDX-License-Identifier: Apache-2.0
// What pax records say about one entry, over what its header block says.
#pragma once

#include "erofs/pax.h"
#include "erofs/tar_entry.h"
#include "erofs/tar_header.h"

namespace hrun::erofs {

// The record's value, or null if there is none or it is empty (then the header block's field holds).
const std::string* pax_value(const PaxRecords& records, std::string_view key);

// The record's value as a number that is not negative, or `fallback`.
Result<uint64_t> pax_size(const PaxRecords& records, std::string_view key, uint64_t fallback);

// Applies path, linkpath, size, uid, gid and mtime to the header; nanoseconds go to `nanoseconds`.
Result<void> apply_pax_fields(const PaxRecords& records, TarHeader& header, uint32_t& nanoseconds);

// The SCHILY.xattr.* records, ordered by name. An empty value takes the record back (POSIX pax, 4.3): an attribute
// without a value cannot be told in a layer.
std::vector<Xattr> pax_xattrs(const PaxRecords& records);

} // namespace hrun::erofs
