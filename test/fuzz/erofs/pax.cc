// SPDX-License-Identifier: Apache-2.0
// Any bytes as a pax header and as a sparse map.
#include "erofs/pax.h"
#include "erofs/pax_fields.h"
#include "erofs/sparse_map.h"
#include "erofs/xattr.h"

using namespace hrun::erofs;

namespace {

// Errors are expected; crashes are looked for.
template <class T> void ignore(const hrun::Result<T>&) {}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    PaxRecords records;
    if (parse_pax(text, records)) {
        TarHeader header;
        uint32_t nanoseconds = 0;
        ignore(apply_pax_fields(records, header, nanoseconds));
        std::vector<Xattr> xattrs = pax_xattrs(records);
        std::erase_if(xattrs, [](const Xattr& xattr) { return !xattr_is_kept(xattr.name); });
        if (auto entries = encode_xattrs(std::move(xattrs)))
            ignore(xattr_body(*entries));
    }
    if (auto map = parse_sparse_list(text, 1000))
        ignore(check_sparse_map(*map, 1 << 20, size));
    return 0;
}
