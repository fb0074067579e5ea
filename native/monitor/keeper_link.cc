// SPDX-License-Identifier: Apache-2.0
#include "monitor/keeper_link.h"

#include <sys/socket.h>

namespace hrun::monitor {

void KeeperLink::tell(KeeperRequest request, uint32_t argument) {
    const KeeperMessage message{request, argument};
    unanswered_ += is_answered(request);
    [[maybe_unused]] const ssize_t sent = send(socket_.get(), &message, sizeof message, MSG_NOSIGNAL);
}

uint32_t KeeperLink::await() {
    uint32_t answer = 0;
    while (unanswered_ > 0) {
        const ssize_t size = recv(socket_.get(), &answer, sizeof answer, 0);
        if (size < 0 && errno == EINTR)
            continue;
        if (size != sizeof answer)
            return 0;
        --unanswered_;
    }
    return answer;
}

} // namespace hrun::monitor
