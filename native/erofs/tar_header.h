// SPDX-License-Identifier: Apache-2.0
// One 512-byte tar header block: POSIX.1-1988 ustar, GNU and v7 (pax: IEEE Std 1003.1, pax, "ustar
// Interchange Format"; GNU: tar manual, "Basic Tar Format").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hrun::erofs {

constexpr size_t kTarBlockBytes = 512;

enum class TarFormat { kV7, kUstar, kGnu };

struct TarHeader {
    TarFormat format = TarFormat::kV7;
    char typeflag = '0';
    std::string path;
    std::string link_target;
    uint64_t mode = 0;
    int64_t uid = 0, gid = 0;
    int64_t mtime = 0; // seconds since the epoch
    int64_t size = 0;
    int64_t device_major = 0, device_minor = 0;
};

// True if all 512 bytes are zero: half of the end-of-archive marker.
bool is_zero_block(const uint8_t* block);

// Checks the checksum and decodes the fields. Numbers may be octal or GNU base-256.
// kLayerCorrupt if the checksum or a number is wrong.
Result<TarHeader> parse_tar_header(const uint8_t* block);

// A number field of a header: octal digits ended by space or NUL, or base-256 when the top bit is set.
Result<int64_t> parse_tar_number(const uint8_t* field, size_t length);

} // namespace hrun::erofs
