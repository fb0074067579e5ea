// SPDX-License-Identifier: Apache-2.0
// Limits on one layer: what a hostile image may cost. docs/layers.md states and explains each.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hrun::erofs {

constexpr uint64_t kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB, kTiB = 1024 * kGiB;

struct Limits {
    uint64_t max_tar_bytes = 128 * kGiB;   // after decompression
    uint64_t max_ratio = 200;              // inflated bytes per compressed byte, once ratio_from is passed
    uint64_t ratio_from = kGiB;            // inflated bytes
    uint64_t max_entries = 524288;         // tar entries and the directories they imply
    uint64_t max_depth = 1024;             // path components
    uint64_t max_path_bytes = 4095;        // PATH_MAX without its NUL; paths and link targets
    uint64_t max_header_bytes = kMiB;      // one pax header or GNU long name
    uint64_t max_file_bytes = kTiB;        // logical size of one file
    uint64_t max_sparse_extents = kMiB;    // data regions of one sparse file
    uint64_t max_table_bytes = 256 * kMiB; // names, link targets and directory xattrs held in memory
    uint64_t max_link_steps =
        4 *
        kMiB; // path components followed through symbolic links    uint64_t max_link_steps = 4 * kMiB;   // path components followed through symbolic links
};

// What the formats themselves allow.
constexpr size_t kMaxNameBytes = 255;         // EROFS_NAME_LEN
constexpr size_t kMaxXattrValueBytes = 65535; // e_value_size is 16 bits
constexpr uint32_t kZstdMaxWindowLog = 25;    // 32 MiB: the decoder's memory

} // namespace hrun::erofs
