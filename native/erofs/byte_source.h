// SPDX-License-Identifier: Apache-2.0
// Where the tar reader gets its bytes.
#pragma once

#include "base/result.h"
#include "erofs/chunk.h"

namespace hrun::erofs {

class ByteSource {
  public:
    virtual ~ByteSource() = default;

    // The next bytes, at least one and at most `max`, or an empty slice at the end of the stream.
    virtual Result<Slice> next(size_t max) = 0;

    // Bytes handed out so far.
    uint64_t position() const { return position_; }

  protected:
    uint64_t position_ = 0;
};

} // namespace hrun::erofs
