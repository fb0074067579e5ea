// SPDX-License-Identifier: Apache-2.0
// gzip (RFC 1952) with ISA-L: any number of members, then zero bytes of padding.
#include <isa-l/igzip_lib.h>

#include <algorithm>

#include "erofs/decoder.h"
#include "erofs/layer_error.h"

namespace hrun::erofs {
namespace {

class GzipDecoder : public Decoder {
  public:
    Result<void> decode(DecoderBuffers& buffers) override {
        while (buffers.in_size > 0 && buffers.out_size > 0) {
            if (!in_member_)
                HRUN_TRY(begin_member(buffers));
            if (in_member_)
                HRUN_TRY(inflate(buffers));
        }
        // ISA-L may still hold output that found no room.
        if (in_member_ && buffers.out_size > 0)
            HRUN_TRY(inflate(buffers));
        return {};
    }

    Result<void> finish() override {
        if (in_member_)
            return corrupt("the gzip stream is truncated");
        return {};
    }

  private:
    Result<void> begin_member(DecoderBuffers& buffers) {
        while (members_ > 0 && buffers.in_size > 0 && *buffers.in == 0) {
            buffers.in++;
            buffers.in_size--;
            padded_ = true;
        }
        if (buffers.in_size == 0)
            return {};
        if (padded_ || *buffers.in != 0x1f)
            return corrupt("rubbish follows the gzip stream");
        isal_inflate_init(&state_);
        state_.crc_flag = ISAL_GZIP; // header, CRC-32 and ISIZE are ISA-L's to read and check
        in_member_ = true;
        members_++;
        return {};
    }

    Result<void> inflate(DecoderBuffers& buffers) {
        const auto in = static_cast<uint32_t>(std::min<size_t>(buffers.in_size, UINT32_MAX));
        const auto out = static_cast<uint32_t>(std::min<size_t>(buffers.out_size, UINT32_MAX));
        state_.next_in = const_cast<uint8_t*>(buffers.in);
        state_.avail_in = in;
        state_.next_out = buffers.out;
        state_.avail_out = out;
        const int status = isal_inflate(&state_);
        buffers.in = state_.next_in;
        buffers.in_size -= in - state_.avail_in;
        buffers.out = state_.next_out;
        buffers.out_size -= out - state_.avail_out;
        if (status == ISAL_INCORRECT_CHECKSUM)
            return corrupt("the gzip stream's CRC or length does not match");
        if (status < 0)
            return corrupt("the gzip stream is broken");
        if (state_.block_state == ISAL_BLOCK_FINISH)
            in_member_ = false;
        return {};
    }

    inflate_state state_;
    bool in_member_ = false, padded_ = false;
    uint64_t members_ = 0;
};

} // namespace

std::unique_ptr<Decoder> new_gzip_decoder() {
    return std::make_unique<GzipDecoder>();
}

} // namespace hrun::erofs
