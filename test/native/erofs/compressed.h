// SPDX-License-Identifier: Apache-2.0
// Compressed test data.
#pragma once

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <memory>
#include <string>

namespace hrun::erofs {

inline std::string gzip(const std::string& text) {
    std::string out(text.size() + 4096, '\0');
    auto stream = std::make_unique<isal_zstream>();
    isal_deflate_stateless_init(stream.get());
    stream->gzip_flag = IGZIP_GZIP;
    stream->end_of_stream = 1;
    stream->next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
    stream->avail_in = static_cast<uint32_t>(text.size());
    stream->next_out = reinterpret_cast<uint8_t*>(out.data());
    stream->avail_out = static_cast<uint32_t>(out.size());
    if (isal_deflate_stateless(stream.get()) != COMP_OK)
        return {};
    out.resize(stream->total_out);
    return out;
}

inline std::string zstd(const std::string& text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
    return out;
}

} // namespace hrun::erofs
