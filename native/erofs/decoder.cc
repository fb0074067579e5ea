// SPDX-License-Identifier: Apache-2.0
#include "erofs/decoder.h"

namespace hrun::erofs {

Compression detect_compression(const uint8_t* data, size_t size, std::string_view& name) {
    std::string_view start(reinterpret_cast<const char*>(data), size);
    if (start.starts_with(std::string_view("\x1f\x8b\x08", 3)))
        return Compression::kGzip;
    if (start.starts_with(std::string_view("\x28\xb5\x2f\xfd", 4)))
        return Compression::kZstd;
    const bool skippable = size >= 4 && (data[0] & 0xf0) == 0x50 && start.substr(1, 3) == "\x2a\x4d\x18";
    if (skippable) // a zstd stream may begin with a skippable frame (RFC 8878, 3.1.2)
        return Compression::kZstd;
    struct {
        std::string_view magic, name;
    } const unsupported[] = {{"BZh", "bzip2"}, {std::string_view("\xfd\x37zXZ\0", 6), "xz"}};
    for (auto& [magic, format] : unsupported)
        if (start.starts_with(magic)) {
            name = format;
            return Compression::kUnsupported;
        }
    return Compression::kNone;
}

} // namespace hrun::erofs
