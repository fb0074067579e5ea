// SPDX-License-Identifier: Apache-2.0
// One compression format of OCI layers (image-spec, layer.md, "+gzip" and "+zstd" media types).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace hrun::erofs {

// What a decoder reads from and writes to; it advances both.
struct DecoderBuffers {
    const uint8_t* in = nullptr;
    size_t in_size = 0;
    uint8_t* out = nullptr;
    size_t out_size = 0;
};

class Decoder {
  public:
    virtual ~Decoder() = default;

    // Decodes until the input is used up or the output is full. kLayerCorrupt if the data are broken.
    virtual Result<void> decode(DecoderBuffers& buffers) = 0;

    // Checks, once all input is decoded, that the stream was whole.
    virtual Result<void> finish() = 0;
};

std::unique_ptr<Decoder> new_gzip_decoder();
std::unique_ptr<Decoder> new_zstd_decoder();

enum class Compression { kNone, kGzip, kZstd, kUnsupported };

// Tells a blob's format by its magic bytes; `name` is set for one that is not supported.
Compression detect_compression(const uint8_t* data, size_t size, std::string_view& name);

} // namespace hrun::erofs
