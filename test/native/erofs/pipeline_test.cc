// SPDX-License-Identifier: Apache-2.0
#include "erofs/pipeline.h"

#include <doctest/doctest.h>

#include "compressed.h"
#include "erofs/converter.h"
#include "erofs/layer_error.h"

#include <sys/mman.h>

#include "base/fd.h"

using namespace hrun;
using namespace hrun::erofs;

namespace {

std::string megabytes(size_t count) {
    std::string text;
    for (size_t i = 0; text.size() < count << 20; i++)
        text += std::to_string(i) + ",";
    return text;
}

std::string sha256(const std::string& bytes) {
    Sha256Stream digest;
    digest.update(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    return to_hex(digest.finish());
}

// Feeds a blob from its own thread, as JavaScript does from its.
class Feeder {
  public:
    Feeder(FedBlobSource& source, const std::string& blob, bool end = true)
        : thread_([&source, &blob, end, this] {
              const auto* data = reinterpret_cast<const uint8_t*>(blob.data());
              for (size_t at = 0; at < blob.size() && !stop_;)
                  at += source.offer(data + at, std::min<size_t>(blob.size() - at, 100000));
              if (end)
                  source.end();
          }) {}
    ~Feeder() {
        stop_ = true;
        thread_.join();
    }

  private:
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

} // namespace

TEST_CASE("the tar comes out whole, with both digests") {
    const std::string tar = megabytes(5);
    for (const std::string& blob : {gzip(tar), zstd(tar), tar}) {
        FedBlobSource source;
        const Limits limits;
        LayerPipeline pipeline(source, -1, limits);
        Feeder feeder(source, blob);
        std::string got;
        for (;;) {
            auto slice = pipeline.next(12345);
            REQUIRE(slice);
            if (slice->size == 0)
                break;
            got.append(reinterpret_cast<const char*>(slice->data), slice->size);
        }
        auto digests = pipeline.finish();
        REQUIRE(digests);
        CHECK(got == tar);
        CHECK(to_hex(digests->blob) == sha256(blob));
        CHECK(to_hex(digests->tar) == sha256(tar));
        CHECK(digests->blob_bytes == blob.size());
        CHECK(digests->tar_bytes == tar.size());
    }
}

TEST_CASE("a pipeline that nobody reads any more ends, with all its queues full") {
    const std::string blob = gzip(megabytes(30));
    FedBlobSource source;
    const Limits limits;
    auto pipeline = std::make_unique<LayerPipeline>(source, -1, limits);
    Feeder feeder(source, blob);
    REQUIRE(pipeline->next(1));
    pipeline.reset();
}

TEST_CASE("a conversion can be cancelled from another thread at any time") {
    const std::string blob = gzip(megabytes(3));
    for (int delay = 0; delay < 20; delay++) {
        FedBlobSource source;
        Conversion conversion{Limits{}};
        Fd image(::memfd_create("image", MFD_CLOEXEC));
        Feeder feeder(source, blob, false); // never ends by itself
        std::thread canceller([&] {
            std::this_thread::sleep_for(std::chrono::microseconds(delay * 200));
            conversion.cancel();
        });
        auto result = conversion.convert(source, image.get(), -1);
        canceller.join();
        REQUIRE(std::holds_alternative<LayerError>(result));
        const int code = std::get<LayerError>(result).code;
        CHECK((code == kLayerAborted || code == kLayerCorrupt)); // the digits are no tar, if it got that far
    }
}

TEST_CASE("an error comes behind the bytes before it") {
    const std::string tar = megabytes(1);
    const std::string blob = gzip(tar) + "rubbish";
    FedBlobSource source;
    const Limits limits;
    LayerPipeline pipeline(source, -1, limits);
    Feeder feeder(source, blob);
    size_t got = 0;
    for (;;) {
        auto slice = pipeline.next(SIZE_MAX);
        if (!slice) {
            CHECK(slice.error().code == kLayerCorrupt);
            break;
        }
        REQUIRE(slice->size > 0);
        got += slice->size;
    }
    CHECK(got <= tar.size());
    CHECK(got + kChunkBytes > tar.size());
    CHECK_FALSE(pipeline.finish());
}
