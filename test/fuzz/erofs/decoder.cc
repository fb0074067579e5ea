// SPDX-License-Identifier: Apache-2.0
// Any bytes as a compressed stream, cut at any place: our handling of members, frames and padding.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "erofs/decoder.h"

using namespace hrun::erofs;

namespace {

// False on an error. Stops after 1 MiB of output.
bool decode_all(Decoder& decoder, const uint8_t* data, size_t size, size_t piece) {
    std::vector<uint8_t> output(4096);
    size_t produced = 0;
    for (size_t at = 0; at < size; at += piece) {
        DecoderBuffers buffers{data + at, std::min(piece, size - at), nullptr, 0};
        do {
            buffers.out = output.data();
            buffers.out_size = output.size();
            if (!decoder.decode(buffers))
                return false;
            produced += output.size() - buffers.out_size;
        } while (buffers.out_size == 0 && produced < 1 << 20);
        if (produced >= 1 << 20)
            return true;
        if (buffers.in_size != 0)
            abort(); // room was left, so all input must be taken
    }
    return static_cast<bool>(decoder.finish());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2)
        return 0;
    const size_t piece = data[0] + 1;
    auto decoder = data[1] & 1 ? new_gzip_decoder() : new_zstd_decoder();
    decode_all(*decoder, data + 2, size - 2, piece);
    return 0;
}
