// SPDX-License-Identifier: Apache-2.0
#include "erofs/converter.h"

#include <cstring>

#include "erofs/image_builder.h"

namespace hrun::erofs {
namespace {

// "…: No space left on device"
LayerError describe(const Error& error) {
    return {error.code, error.code < kLayerCorrupt ? error.message() : error.what, ""};
}

// "usr/bin/x: … at byte 1024 of the tar"
LayerError describe(const Error& error, const std::string& path, const LayerPipeline& pipeline) {
    LayerError described = describe(error);
    described.path = path;
    if (error.code == kLayerCorrupt && !error.what.ends_with("of the blob"))
        described.message += " at byte " + std::to_string(pipeline.position()) + " of the tar";
    if (!path.empty() && error.code >= kLayerCorrupt && error.code != kLayerAborted)
        described.message = path + ": " + described.message;
    return described;
}

} // namespace

// Makes a pipeline known to cancel() for as long as it runs.
class Conversion::Running {
  public:
    Running(Conversion& conversion, LayerPipeline& pipeline) : conversion_(conversion) {
        std::lock_guard lock(conversion_.mutex_);
        conversion_.pipeline_ = &pipeline;
        if (conversion_.cancelled_)
            pipeline.cancel();
    }
    ~Running() {
        std::lock_guard lock(conversion_.mutex_);
        conversion_.pipeline_ = nullptr;
    }

  private:
    Conversion& conversion_;
};

Converted<LayerSummary> Conversion::convert(BlobSource& blob, int output_fd, int blob_fd) {
    LayerPipeline pipeline(blob, blob_fd, limits_);
    Running running(*this, pipeline);
    ImageBuilder image(output_fd, limits_, false);
    std::string path;
    if (auto applied = image.apply(pipeline, path); !applied)
        return describe(applied.error(), path, pipeline);
    Result<LayerDigests> digests = pipeline.finish();
    if (!digests)
        return describe(digests.error(), "", pipeline);
    Result<uint64_t> bytes = image.finish(digests->tar);
    if (!bytes)
        return describe(bytes.error());
    return LayerSummary{*digests, *bytes, image.entries()};
}

Converted<MergeSummary> Conversion::merge(std::vector<std::unique_ptr<BlobSource>> blobs, int output_fd,
                                          bool bottom) {
    ImageBuilder image(output_fd, limits_, bottom);
    Sha256Stream identity;
    for (auto& blob : blobs) {
        LayerPipeline pipeline(*blob, -1, limits_);
        Running running(*this, pipeline);
        std::string path;
        if (auto applied = image.apply(pipeline, path); !applied)
            return describe(applied.error(), path, pipeline);
        Result<LayerDigests> digests = pipeline.finish();
        if (!digests)
            return describe(digests.error(), "", pipeline);
        identity.update(digests->tar.data(), digests->tar.size());
    }
    Result<uint64_t> bytes = image.finish(identity.finish());
    if (!bytes)
        return describe(bytes.error());
    return MergeSummary{*bytes, image.entries()};
}

Converted<JoinSummary> Conversion::join(const std::vector<int>& image_fds, int output_fd) {
    std::vector<ImageReader> images;
    Sha256Stream identity;
    JoinSummary summary;
    for (int fd : image_fds) {
        Result<ImageReader> image = ImageReader::open(fd);
        if (!image)
            return describe(image.error());
        identity.update(image->superblock().uuid, sizeof image->superblock().uuid);
        images.push_back(*image);
        if (memcmp(image->superblock().volume_name, kUnresolvedLinks, sizeof Superblock::volume_name) == 0)
            summary.merge = images.size();
    }
    if (summary.merge > 0)
        return summary;
    Result<DirectoryJoin> join = join_directories(images);
    if (!join)
        return describe(join.error());
    summary.lowest = join->lowest;
    if (!join->root)
        return summary;
    const Limits limits;
    ImageBuilder builder(output_fd, limits, false);
    builder.graft(*join->root);
    Result<uint64_t> bytes = builder.finish(identity.finish());
    if (!bytes)
        return describe(bytes.error());
    summary.erofs_bytes = *bytes;
    return summary;
}

void Conversion::cancel() {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (pipeline_)
        pipeline_->cancel();
}

} // namespace hrun::erofs
