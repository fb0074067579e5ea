// SPDX-License-Identifier: Apache-2.0
// What a keeper gives the monitor of a machine that waits (docs/pool.md) when its container has come, over the link between them. Where the
// container's settings are, the monitor knows.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::monitor {

struct HandOver {
    std::string path; // of the container's directory, as the host sees it
    Fd control;       // control.sock, listening
    Fd client;        // the first; not a byte of it has been read
    std::vector<Fd> disks;
    std::vector<Fd> nics; // NicConfig::queue_pairs of each
};

// The same to be sent: the descriptors stay their owners'.
struct HandOverRequest {
    std::string path;
    int control;
    int client;
    std::vector<int> disks;
    std::vector<int> nics;
};

Result<void> send_hand_over(int socket, HandOverRequest what);

// Receives it, message by message.
class HandOverReader {
  public:
    // True once it is whole; false when more is to come. An error when the other end is gone, or what it sends is none.
    Result<bool> receive(int socket);
    HandOver take();

  private:
    std::string path_;
    size_t disks_ = 0;
    size_t nics_ = 0;
    bool begun_ = false;
    std::vector<Fd> fds_;
};

} // namespace hrun::monitor
