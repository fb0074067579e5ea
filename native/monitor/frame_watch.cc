// SPDX-License-Identifier: Apache-2.0
#include "monitor/frame_watch.h"

namespace hrun::monitor {

namespace {

constexpr uint32_t kChanges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

} // namespace

Result<Watch> watch_frames(EventLoop& loop, int socket, std::function<void()> writable,
                           std::function<void()> readable) {
    return loop.watch(socket, kChanges,
                      [writable = std::move(writable), readable = std::move(readable)](uint32_t events) {
                          if (events & EPOLLOUT)
                              writable();
                          if (events & ~static_cast<uint32_t>(EPOLLOUT))
                              readable();
                      });
}

void tell_again(Watch& watch) {
    watch.modify(kChanges);
}

} // namespace hrun::monitor
