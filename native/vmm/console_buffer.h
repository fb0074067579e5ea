// SPDX-License-Identifier: Apache-2.0
// Serial output on its way from vCPU threads to the device thread: bytes are gathered, and announced once.
#pragma once

#include <mutex>
#include <string>

#include "base/event_fd.h"

namespace hrun::vmm {

class ConsoleBuffer {
  public:
    // A guest that writes faster than anybody reads loses the oldest half.
    static constexpr size_t kLimit = 1 << 20;

    explicit ConsoleBuffer(EventFd filled) : filled_(std::move(filled)) {}

    // From vCPU threads.
    void put(char byte);
    // Signalled when there is something to take.
    const EventFd& filled() const { return filled_; }
    // All that has come since the last call.
    std::string take();

  private:
    EventFd filled_;
    std::mutex mutex_;
    std::string bytes_;
};

} // namespace hrun::vmm
