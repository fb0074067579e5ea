// SPDX-License-Identifier: Apache-2.0
// The output of the container's process between the agent and the clients: what some client has not been sent yet.
// Never more than HRUN_INITIAL_CREDIT bytes, for the agent gets credit back only for what is dropped here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol.h"

namespace hrun::monitor {

class Output {
  public:
    // Positions count bytes from the start of the stream.
    uint64_t begin() const { return begin_; }
    uint64_t end() const { return begin_ + bytes_.size() - dropped_; }
    bool ended() const { return ended_; }

    // False, and nothing taken, when the agent sends more than it has credit for, or after the end.
    bool append(std::string_view bytes);
    void finish() { ended_ = true; }
    // Up to `size` bytes from `position`, which lies between begin and end.
    std::string_view read(uint64_t position, size_t size) const;
    // Nobody needs what lies before `position` any more; returns how many bytes that frees.
    size_t drop_before(uint64_t position);

  private:
    std::string bytes_;
    size_t dropped_ = 0; // at the front of bytes_, reclaimed from time to time
    uint64_t begin_ = 0;
    bool ended_ = false;
};

} // namespace hrun::monitor
