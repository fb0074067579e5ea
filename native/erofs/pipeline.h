// SPDX-License-Identifier: Apache-2.0
// Blob → inflate → tar, in threads of their own, with both digests taken on the way:
//
//   blob thread     reads the blob, copies it to blob_fd, hashes it
//   inflate thread  decompresses (passes a plain tar through)
//   caller          takes the tar from next(), which hashes it (a plain tar is hashed once, by the blob thread);
//                   parses it and writes the image
//
// Without SHA instructions the two halves, blob and inflate against caller, are equally long, and keep two cores busy.
// Hashing the tar in a thread of its own was slower on two cores (one had the longest thread to itself and then nothing
// to do) and at best a sixth faster on more.
//
// An error travels downstream in order behind the bytes before it, so that the same blob always fails
// with the same error.
#pragma once

#include <atomic>
#include <optional>
#include <thread>

#include "erofs/blob_source.h"
#include "erofs/byte_source.h"
#include "erofs/decoder.h"
#include "erofs/digest.h"
#include "erofs/limits.h"
#include "erofs/queue.h"

namespace hrun::erofs {

struct LayerDigests {
    Sha256 blob{}, tar{};
    uint64_t blob_bytes = 0, tar_bytes = 0;
};

class LayerPipeline : public ByteSource {
  public:
    // `blob_fd` is -1 or a file that gets a copy of the blob.
    LayerPipeline(BlobSource& blob, int blob_fd, const Limits& limits);
    ~LayerPipeline() override; // cancels and joins

    // The tar's bytes, on the caller's thread.
    Result<Slice> next(size_t max) override;

    // Reads the rest of the stream, so that the digests cover all of it; threads are gone afterwards.
    Result<LayerDigests> finish();

    // Makes next() and finish() fail with kLayerAborted and ends the threads, from any thread.
    void cancel();

  private:
    using Item = Result<ChunkPtr>;
    using Queue = BoundedQueue<Item>;

    void read_blob();
    Result<ChunkPtr> keep_blob(Result<ChunkPtr> chunk);
    void inflate_all();
    Result<void> inflate_blob();
    Result<void> pass_through(ChunkPtr chunk);
    Result<void> decode_chunk(Decoder& decoder, const Chunk* input, ChunkPtr& output);
    Error located(Error error) const;
    Result<ChunkPtr> pop_blob();
    Result<void> emit(ChunkPtr chunk);
    Result<void> check_limits() const;
    void take(const ChunkPtr& chunk);
    void join();

    BlobSource& blob_;
    const int blob_fd_;
    const Limits& limits_;

    Queue blob_queue_{8}, tar_queue_{16};
    LayerDigests digests_;  // the blob's by the blob thread, the tar's by the caller's; read after join()
    bool plain_ = false;    // inflate thread, before its first chunk; whoever has popped one may read it
    uint64_t inflated_ = 0; // inflate thread
    uint64_t consumed_ = 0; // inflate thread: blob bytes taken
    std::atomic<bool> cancelled_ = false;

    // The caller's thread.
    Sha256Stream tar_digest_;
    Slice current_; // not yet handed out
    bool at_end_ = false;
    std::optional<Error> failed_;

    std::thread blob_thread_, inflate_thread_;
};

} // namespace hrun::erofs
