// SPDX-License-Identifier: Apache-2.0
#include "monitor/outbox.h"

#include <sys/socket.h>

namespace hrun::monitor {

Result<void> Outbox::flush(int socket) {
    while (done_ < bytes_.size()) {
        const ssize_t sent =
            send(socket, bytes_.data() + done_, bytes_.size() - done_, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return {};
        if (sent < 0)
            return Error::last("send frames");
        done_ += static_cast<size_t>(sent);
    }
    bytes_.clear();
    done_ = 0;
    return {};
}

} // namespace hrun::monitor
