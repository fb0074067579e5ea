// SPDX-License-Identifier: Apache-2.0
// Frames on their way into a non-blocking socket.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hrun::monitor {

class Outbox {
  public:
    void push(std::string_view bytes) { bytes_ += bytes; }
    // Writes what the socket takes. EPIPE and the like: the peer is gone.
    Result<void> flush(int socket);
    bool empty() const { return bytes_.empty(); }
    size_t size() const { return bytes_.size() - done_; }

  private:
    std::string bytes_;
    size_t done_ = 0;
};

} // namespace hrun::monitor
