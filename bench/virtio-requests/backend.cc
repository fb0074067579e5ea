// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <cstdio>
#include <optional>

#include "base/unix_socket.h"
#include "devices/virtio/hybrid_vsock.h"
#include "roles.h"
#include "transport/vhost_user.h"

namespace hrun::bench {

namespace {

Result<void> run(int directory) {
    auto loop = EventLoop::create();
    if (!loop)
        return loop.error();
    virtio::HybridVsock hybrid(**loop, directory, "vsock.sock");
    virtio::VsockDevice device(**loop, 3, [&](uint32_t port) { return hybrid.accept_from_guest(port); });
    HRUN_TRY(hybrid.listen(device));
    auto listener = listen_unix(directory, "vhost.sock");
    if (!listener)
        return listener.error();
    std::optional<vhost_user::Backend> backend;
    auto accepting = (*loop)->watch(listener->get(), EPOLLIN, [&](uint32_t) {
        auto socket = accept_unix(listener->get());
        if (!socket || backend)
            return;
        backend.emplace(**loop, device, std::move(*socket), [&](const Error&) { (*loop)->stop(); });
        if (!backend->start())
            (*loop)->stop();
    });
    if (!accepting)
        return accepting.error();
    return (*loop)->run();
}

} // namespace

int run_backend(const std::string& directory) {
    const Fd at(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const Result<void> ran = run(at.get());
    if (!ran)
        fprintf(stderr, "backend: %s\n", ran.error().message().c_str());
    return ran ? 0 : 1;
}

} // namespace hrun::bench
