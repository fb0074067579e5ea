// SPDX-License-Identifier: Apache-2.0
#include "erofs/pipeline.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>

#include "erofs/layer_error.h"

namespace hrun::erofs {
namespace {

Result<void> write_all(int fd, const uint8_t* data, size_t size, uint64_t offset) {
    while (size > 0) {
        const ssize_t put = ::pwrite(fd, data, size, static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return Error::last("write the layer's blob");
        data += put;
        size -= static_cast<size_t>(put);
        offset += static_cast<uint64_t>(put);
    }
    return {};
}

} // namespace

LayerPipeline::LayerPipeline(BlobSource& blob, int blob_fd, const Limits& limits)
    : blob_(blob), blob_fd_(blob_fd), limits_(limits) {
    blob_thread_ = std::thread([this] { read_blob(); });
    inflate_thread_ = std::thread([this] { inflate_all(); });
    pthread_setname_np(blob_thread_.native_handle(), "hrun-blob");
    pthread_setname_np(inflate_thread_.native_handle(), "hrun-inflate");
}

LayerPipeline::~LayerPipeline() {
    cancel();
    join();
}

void LayerPipeline::cancel() {
    cancelled_ = true;
    blob_.cancel();
    for (Queue* queue : {&blob_queue_, &tar_queue_})
        queue->cancel();
}

void LayerPipeline::join() {
    for (std::thread* thread : {&blob_thread_, &inflate_thread_})
        if (thread->joinable())
            thread->join();
}

// --- blob thread

void LayerPipeline::read_blob() {
    Sha256Stream digest;
    for (;;) {
        Result<ChunkPtr> chunk = keep_blob(blob_.next());
        const bool last = !chunk || !*chunk;
        if (last && chunk)
            digests_.blob = digest.finish();
        if (!blob_queue_.push(chunk) || last)
            return;
        digest.update((*chunk)->data, (*chunk)->size);
    }
}

Result<ChunkPtr> LayerPipeline::keep_blob(Result<ChunkPtr> chunk) {
    if (!chunk || !*chunk)
        return chunk;
    if (blob_fd_ >= 0)
        HRUN_TRY(write_all(blob_fd_, (*chunk)->data, (*chunk)->size, digests_.blob_bytes));
    digests_.blob_bytes += (*chunk)->size;
    return chunk;
}

// --- inflate thread

void LayerPipeline::inflate_all() {
    Result<void> inflated = inflate_blob();
    tar_queue_.push(inflated ? Item(ChunkPtr()) : Item(inflated.error()));
}

Result<void> LayerPipeline::inflate_blob() {
    Result<ChunkPtr> chunk = pop_blob();
    if (!chunk)
        return chunk.error();
    if (!*chunk)
        return corrupt("the layer is empty: not even a tar's end marker");
    std::string_view format;
    std::unique_ptr<Decoder> decoder;
    switch (detect_compression((*chunk)->data, (*chunk)->size, format)) {
    case Compression::kUnsupported:
        return corrupt("the layer is compressed with " + std::string(format) + ", which OCI does not know");
    case Compression::kNone:
        return pass_through(std::move(*chunk));
    case Compression::kGzip:
        decoder = new_gzip_decoder();
        break;
    case Compression::kZstd:
        decoder = new_zstd_decoder();
        break;
    }
    ChunkPtr output = new_chunk();
    for (; chunk && *chunk; chunk = pop_blob())
        if (auto decoded = decode_chunk(*decoder, chunk->get(), output); !decoded)
            return located(decoded.error());
    if (!chunk)
        return chunk.error();
    if (auto finished = decoder->finish(); !finished)
        return located(finished.error());
    return output->size > 0 ? emit(std::move(output)) : Result<void>();
}

Error LayerPipeline::located(Error error) const {
    if (error.code == kLayerCorrupt)
        error.what += " at byte " + std::to_string(consumed_) + " of the blob";
    return error;
}

Result<void> LayerPipeline::pass_through(ChunkPtr chunk) {
    plain_ = true;
    for (;;) {
        HRUN_TRY(emit(std::move(chunk)));
        Result<ChunkPtr> next = pop_blob();
        if (!next)
            return next.error();
        if (!*next)
            return {};
        chunk = std::move(*next);
    }
}

// Fills `output` to the brim before it goes on, so that tar headers seldom straddle two chunks.
Result<void> LayerPipeline::decode_chunk(Decoder& decoder, const Chunk* input, ChunkPtr& output) {
    DecoderBuffers buffers{input->data, input->size, nullptr, 0};
    for (;;) {
        const size_t room = kChunkBytes - output->size;
        buffers.out = output->data + output->size;
        buffers.out_size = room;
        const size_t before = buffers.in_size;
        Result<void> decoded = decoder.decode(buffers);
        consumed_ += before - buffers.in_size;
        if (!decoded)
            return decoded;
        output->size += room - buffers.out_size;
        if (buffers.out_size > 0)
            return {}; // the input is used up and nothing is left to flush
        HRUN_TRY(emit(std::move(output)));
        output = new_chunk();
    }
}

Result<ChunkPtr> LayerPipeline::pop_blob() {
    std::optional<Item> item = blob_queue_.pop();
    return item ? std::move(*item) : Item(aborted());
}

Result<void> LayerPipeline::emit(ChunkPtr chunk) {
    inflated_ += chunk->size;
    HRUN_TRY(check_limits());
    if (!tar_queue_.push(Item(std::move(chunk))))
        return aborted();
    return {};
}

Result<void> LayerPipeline::check_limits() const {
    if (inflated_ > limits_.max_tar_bytes)
        return over_limit("the layer inflates to more than " + std::to_string(limits_.max_tar_bytes) +
                          " bytes");
    if (!plain_ && inflated_ > limits_.ratio_from && inflated_ / limits_.max_ratio > consumed_)
        return over_limit("the layer inflates to more than " + std::to_string(limits_.max_ratio) +
                          " times its size");
    return {};
}

// --- caller's thread

Result<Slice> LayerPipeline::next(size_t max) {
    if (current_.size == 0 && !at_end_) {
        current_ = Slice{};
        std::optional<Item> item = tar_queue_.pop();
        if (!item)
            failed_ = aborted();
        else if (!*item)
            failed_ = item->error();
        else if (ChunkPtr& chunk = **item)
            take(chunk);
        at_end_ = current_.size == 0;
    }
    if (cancelled_)
        return aborted();
    if (failed_)
        return *failed_;
    Slice slice = current_;
    slice.size = std::min(slice.size, max);
    current_.data += slice.size;
    current_.size -= slice.size;
    position_ += slice.size;
    return slice;
}

void LayerPipeline::take(const ChunkPtr& chunk) {
    current_ = Slice{chunk, chunk->data, chunk->size};
    digests_.tar_bytes += chunk->size;
    if (!plain_)
        tar_digest_.update(chunk->data, chunk->size);
}

Result<LayerDigests> LayerPipeline::finish() {
    for (;;) {
        Result<Slice> slice = next(SIZE_MAX);
        if (!slice)
            return slice.error();
        if (slice->size == 0)
            break;
    }
    join();
    if (cancelled_)
        return aborted();
    digests_.tar = plain_ ? digests_.blob : tar_digest_.finish();
    return digests_;
}

} // namespace hrun::erofs
