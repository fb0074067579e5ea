// SPDX-License-Identifier: Apache-2.0
// Zstandard (RFC 8878): any number of frames, content checksums verified by libzstd.
#include <zstd.h>
#include <zstd_errors.h>

#include "erofs/decoder.h"
#include "erofs/layer_error.h"
#include "erofs/limits.h"

namespace hrun::erofs {
namespace {

class ZstdDecoder : public Decoder {
  public:
    ZstdDecoder() : context_(ZSTD_createDCtx()) {
        ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kZstdMaxWindowLog);
    }

    Result<void> decode(DecoderBuffers& buffers) override {
        if (buffers.in_size == 0 && !frame_open_)
            return {}; // libzstd would take the call for the start of a frame
        ZSTD_inBuffer in{buffers.in, buffers.in_size, 0};
        ZSTD_outBuffer out{buffers.out, buffers.out_size, 0};
        do {
            const size_t before = out.pos;
            const size_t status = ZSTD_decompressStream(context_.get(), &out, &in);
            if (ZSTD_isError(status))
                return failure(status);
            frame_open_ = status != 0;
            if (in.pos == in.size && out.pos == before)
                break; // nothing left to flush
        } while (out.pos < out.size && (in.pos < in.size || frame_open_));
        buffers.in += in.pos;
        buffers.in_size -= in.pos;
        buffers.out += out.pos;
        buffers.out_size -= out.pos;
        return {};
    }

    Result<void> finish() override {
        if (frame_open_)
            return corrupt("the zstd stream is truncated");
        return {};
    }

  private:
    struct Free {
        void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    };

    static Error failure(size_t status) {
        if (ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge)
            return over_limit("a zstd window of more than " + std::to_string(1u << kZstdMaxWindowLog) +
                              " bytes");
        if (ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation)
            return Error{ENOMEM, "zstd"};
        return corrupt(std::string("the zstd stream is broken: ") + ZSTD_getErrorName(status));
    }

    std::unique_ptr<ZSTD_DCtx, Free> context_;
    bool frame_open_ = false;
};

} // namespace

std::unique_ptr<Decoder> new_zstd_decoder() {
    return std::make_unique<ZstdDecoder>();
}

} // namespace hrun::erofs
