// SPDX-License-Identifier: Apache-2.0
// Descriptors that travel with bytes over a Unix stream socket: SCM_RIGHTS, unix(7).
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace hrun {

// Most that one message brings.
constexpr size_t kMostPassed = 16;

// Sends all of `parts` and `fds`, which stay the caller's, at once; `flags` are those of sendmsg(2). A socket that does not take all the
// bytes is an error: EAGAIN.
Result<void> send_passing(int socket, std::span<const iovec> parts, std::span<const int> fds, int flags);

struct Received {
    ssize_t count; // as of recvmsg(2): what is wrong is in errno
    bool cut;      // more than `most` descriptors came: the kernel has closed the others
};
// Receives into `to` without waiting, and appends the descriptors that come with it to `fds`, at most `most` of them.
Received receive_passed(int socket, std::span<std::byte> to, size_t most, std::vector<Fd>& fds);

} // namespace hrun
