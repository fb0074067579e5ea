// SPDX-License-Identifier: Apache-2.0
// What a process outside of the jail asks of a container's monitor, over its control socket.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "monitor/frames.h"

namespace hrun::monitor {

class MonitorCall {
  public:
    // Of the container in this directory.
    static Result<MonitorCall> begin(const std::string& directory);

    Result<void> send(std::string frame, const std::vector<int>& descriptors = {});
    // Waits for a frame of this type, and returns the descriptors that came with it. An ERROR that comes instead is returned as the error.
    Result<std::vector<Fd>> await(hrun_frame_type type, int milliseconds);

  private:
    explicit MonitorCall(Fd socket) : socket_(std::move(socket)) {}

    Fd socket_;
    FrameReader reader_;
};

// The directory's absolute path.
Result<std::string> whole_path(const char* directory);

} // namespace hrun::monitor
