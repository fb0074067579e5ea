// SPDX-License-Identifier: Apache-2.0
// The front door of native/erofs: layer blobs in, an EROFS image out (docs/layers.md).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "erofs/blob_source.h"
#include "erofs/layer_error.h"
#include "erofs/limits.h"
#include "erofs/pipeline.h"

namespace hrun::erofs {

// Part of a cached image's name: raised whenever the same layer would give other bytes.
constexpr int kConverterVersion = 2;

struct LayerSummary {
    LayerDigests digests;
    uint64_t erofs_bytes = 0;
    uint64_t entries = 0; // of the tar
};

struct MergeSummary {
    uint64_t erofs_bytes = 0;
    uint64_t entries = 0;
};

struct JoinSummary {
    size_t merge = 0;         // so many of the lowest have to be merged first; then the rest says nothing
    size_t lowest = 0;        // index of the lowest image that shows
    uint64_t erofs_bytes = 0; // 0: nothing was written, because nothing is needed on top
};

template <class T> using Converted = std::variant<T, LayerError>;

// One conversion. It runs on the thread that calls it, with helpers that are gone when the call returns;
// cancel() may come from any thread at any time.
class Conversion {
  public:
    explicit Conversion(Limits limits) : limits_(limits) {}

    // One layer to one image. `blob_fd` is -1 or gets a copy of the blob.
    Converted<LayerSummary> convert(BlobSource& blob, int output_fd, int blob_fd);

    // Several layers, lowest first, to one image: what overlayfs would show of them. Unless `bottom`, their
    // whiteouts are kept for the layers below.
    Converted<MergeSummary> merge(std::vector<std::unique_ptr<BlobSource>> blobs, int output_fd, bool bottom);

    // The layer to stack on top of images made by convert() and merge(), lowest first (directory_join.h).
    static Converted<JoinSummary> join(const std::vector<int>& image_fds, int output_fd);

    // Makes the conversion fail with kLayerAborted.
    void cancel();

  private:
    class Running;

    const Limits limits_;
    std::mutex mutex_;
    LayerPipeline* pipeline_ = nullptr; // under mutex_: the one to cancel
    bool cancelled_ = false;            // under mutex_
};

} // namespace hrun::erofs
