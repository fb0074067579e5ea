// SPDX-License-Identifier: Apache-2.0
// One member of a tar, whatever flavour of headers described it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "erofs/pax.h"
#include "erofs/sparse_map.h"

namespace hrun::erofs {

enum class EntryType { kFile, kHardLink, kSymlink, kCharDevice, kBlockDevice, kDirectory, kFifo };

struct Xattr {
    std::string name; // with its namespace, e.g. "security.capability"
    std::string value;
};

// What every inode has.
struct Metadata {
    uint16_t permissions = 0; // the low 12 bits of st_mode
    uint32_t uid = 0, gid = 0;
    PaxTime mtime;
    std::vector<Xattr> xattrs;
};

struct TarEntry {
    EntryType type = EntryType::kFile;
    std::string path;        // as in the archive, not cleaned
    std::string link_target; // hard links and symbolic links
    Metadata metadata;
    uint32_t device_major = 0, device_minor = 0;
    uint64_t size = 0;               // bytes of the file
    std::optional<SparseMap> sparse; // then the tar holds only these parts of it
};

} // namespace hrun::erofs
