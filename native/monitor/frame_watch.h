// SPDX-License-Identifier: Apache-2.0
// A non-blocking socket with frames in both directions: each change of it is told once.
#pragma once

#include <functional>

#include "base/event_loop.h"
#include "base/result.h"

namespace hrun::monitor {

// Calls `writable` when the socket takes bytes again, `readable` when there is something to read or the peer has gone.
Result<Watch> watch_frames(EventLoop& loop, int socket, std::function<void()> writable,
                           std::function<void()> readable);
// What is not read now is told of once more.
void tell_again(Watch& watch);

} // namespace hrun::monitor
