// SPDX-License-Identifier: Apache-2.0
#include "erofs/decoder.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "compressed.h"
#include "erofs/layer_error.h"

using namespace hrun;
using namespace hrun::erofs;

namespace {

// Decodes in pieces of `in` bytes to buffers of `out` bytes.
Result<std::string> decode(Decoder& decoder, const std::string& blob, size_t in, size_t out) {
    std::string text, buffer(out, '\0');
    for (size_t at = 0; at < blob.size(); at += in) {
        DecoderBuffers buffers{reinterpret_cast<const uint8_t*>(blob.data()) + at,
                               std::min(in, blob.size() - at)};
        do {
            buffers.out = reinterpret_cast<uint8_t*>(buffer.data());
            buffers.out_size = buffer.size();
            HRUN_TRY(decoder.decode(buffers));
            text.append(buffer, 0, buffer.size() - buffers.out_size);
        } while (buffers.out_size == 0);
    }
    HRUN_TRY(decoder.finish());
    return text;
}

// Bytes of input given and of output room, each time.
struct Cut {
    size_t in, out;
};

std::string sample() {
    std::string text;
    for (int i = 0; i < 20000; i++)
        text += std::to_string(i * 7919);
    return text;
}

} // namespace

TEST_CASE("gzip and zstd decode the same however their input and output are cut") {
    const std::string text = sample();
    struct {
        std::string blob;
        std::unique_ptr<Decoder> (*make)();
    } const formats[] = {{gzip(text) + gzip("") + gzip(text) + std::string(700, '\0'), new_gzip_decoder},
                         {zstd(text) + zstd(text), new_zstd_decoder}};
    for (auto& [blob, make] : formats)
        for (const Cut& cut : {Cut{1, 65536}, Cut{7, 1000}, Cut{4096, 1}, Cut{1 << 20, 1 << 20}}) {
            CAPTURE(cut.in);
            CAPTURE(cut.out);
            auto decoder = make();
            auto decoded = decode(*decoder, blob, cut.in, cut.out);
            INFO((decoded ? std::string() : decoded.error().what));
            REQUIRE(decoded);
            CHECK(*decoded == text + text);
        }
}

TEST_CASE("every truncation is noticed") {
    const std::string text(100, 'x');
    for (const std::string& blob : {gzip(text), zstd(text)})
        for (size_t size = 1; size < blob.size(); size++) {
            CAPTURE(size);
            auto decoder = blob[0] == '\x1f' ? new_gzip_decoder() : new_zstd_decoder();
            auto decoded = decode(*decoder, blob.substr(0, size), 5, 50);
            REQUIRE_FALSE(decoded);
            CHECK(decoded.error().code == kLayerCorrupt);
        }
}

TEST_CASE("a wrong CRC, a wrong length and rubbish behind a gzip stream are noticed") {
    const std::string blob = gzip("text");
    for (size_t at = blob.size() - 8; at < blob.size(); at++) {
        std::string wrong = blob;
        wrong[at] = static_cast<char>(wrong[at] ^ 1);
        auto decoder = new_gzip_decoder();
        CHECK_FALSE(decode(*decoder, wrong, 100, 100));
    }
    for (std::string rest : {std::string("x"), std::string("\0x", 2), std::string("\0\x1f", 2)}) {
        auto decoder = new_gzip_decoder();
        CHECK_FALSE(decode(*decoder, blob + rest, 3, 100));
    }
}

TEST_CASE("formats are told by their magic bytes") {
    auto detect = [](std::string_view start) {
        std::string_view name;
        return detect_compression(reinterpret_cast<const uint8_t*>(start.data()), start.size(), name);
    };
    CHECK(detect(gzip("")) == Compression::kGzip);
    CHECK(detect(zstd("")) == Compression::kZstd);
    CHECK(detect({"\x5a\x2a\x4d\x18", 4}) == Compression::kZstd);
    CHECK(detect("BZh9") == Compression::kUnsupported);
    CHECK(detect("usr/") == Compression::kNone);
    CHECK(detect("") == Compression::kNone);
}
