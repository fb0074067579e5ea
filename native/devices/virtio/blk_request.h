// SPDX-License-Identifier: Apache-2.0
// One virtio-blk request (virtio 1.2, 5.2.6): taken out of a descriptor chain, checked, carried out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "devices/virtio/blk_backend.h"
#include "devices/virtio/queue.h"

namespace hrun::virtio {

enum class BlkStatus : uint8_t { kOk = 0, kIoError = 1, kUnsupported = 2 }; // VIRTIO_BLK_S_*

// Most sectors of one discard or write-zeroes segment, and most segments of a request, as told to the driver.
constexpr uint32_t kBlkMaxRangeSectors = 1 << 22; // 2 GiB
constexpr uint32_t kBlkMaxSegments = 16;

class BlkRequest {
  public:
    // Copies what it needs of `chain`, whose buffers must stay guest memory until the request is done. Nothing in it has
    // to make sense: a request that breaks the rules is one that fails when run.
    explicit BlkRequest(const DescriptorChain& chain);

    // Without a byte for the status there is no way to answer: the chain goes back untouched.
    bool answerable() const { return status_at_ != nullptr; }

    // Carries out a read whose data the host has in memory, at most `limit` bytes of it: that takes less time than handing it
    // to a thread does. False: it is run()'s.
    bool run_cached(const BlkBackend& backend, uint64_t limit);
    // Carries the request out; from any thread. `serial` is what GET_ID tells.
    void run(const BlkBackend& backend, const std::string& serial);
    // Writes the status for the driver to see.
    void finish() const;

    uint16_t head() const { return head_; }
    uint64_t data_bytes() const { return data_bytes_; }
    // Bytes written into the chain, status included.
    uint32_t written() const { return written_; }
    // What the host said when it could not write or flush what the driver rightly asked it to.
    const std::optional<Error>& write_error() const { return write_error_; }

  private:
    struct Range {
        uint64_t offset;
        uint64_t size;
        uint32_t flags;
    };

    BlkStatus perform(const BlkBackend& backend, const std::string& serial);
    bool locate_transfer(const BlkBackend& backend, uint64_t& offset) const;
    BlkStatus transfer(const BlkBackend& backend);
    BlkStatus change_ranges(const BlkBackend& backend);
    BlkStatus tell_id(const std::string& serial);
    bool read_ranges(const BlkBackend& backend, std::vector<Range>& ranges) const;
    BlkStatus status_of_write(const Result<void>& done);

    uint16_t head_;
    uint32_t type_ = UINT32_MAX;
    uint64_t sector_ = 0;
    std::vector<iovec> data_;
    uint64_t data_bytes_ = 0;
    bool data_writable_ = false;
    uint8_t* status_at_ = nullptr;
    BlkStatus status_ = BlkStatus::kIoError;
    uint32_t written_ = 0;
    std::optional<Error> write_error_;
};

} // namespace hrun::virtio
