// SPDX-License-Identifier: Apache-2.0
// A remote device and its front end against a back end that says anything, with a descriptor here and there: all of the input
// lies ready before it is asked for, in two parts, the second for after the device's start.
#include <sys/eventfd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/unix_socket.h"
#include "memory/memory_file.h"
#include "transport/vhost_user_device.h"

namespace {

using namespace hrun;

constexpr uint64_t kMemory = 64 * 1024;
constexpr size_t kHandshake = 2 * (sizeof(vhost_user::Header) + sizeof(uint64_t));

// Its first header, if it is long enough, comes with a descriptor when a flag says so that the protocol has no use for.
void say(int socket, const uint8_t* data, size_t size, int fd) {
    vhost_user::Header header;
    if (size < sizeof header)
        return;
    memcpy(&header, data, sizeof header);
    const bool with_fd = header.flags & 0x100;
    (void)vhost_user::send_message(socket, header,
                                   std::as_bytes(std::span(data + sizeof header, size - sizeof header)),
                                   {&fd, with_fd ? 1u : 0u});
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const Fd file = std::move(*create_memory_file("fuzz", kMemory));
    static const Fd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    auto loop = std::move(*EventLoop::create());
    auto pair = std::move(*unix_pair());
    int failures = 0;
    vhost_user::RemoteDevice device(
        *loop, std::move(pair.second), {virtio::kFileSystem, {16, 16}, {}}, [&](const Error&) { ++failures; },
        vhost_user::FrontEnd::Limit(0));
    const size_t first = std::min(size, kHandshake);
    say(pair.first.get(), data, first, event.get());
    if (!device.connect(file.get(), {{0, kMemory, 0, 0}}))
        return 0;
    say(pair.first.get(), data + first, size - first, event.get());
    GuestMemory memory;
    if (auto mapping = Mapping::share(file.get(), 0, kMemory);
        !mapping || !memory.add(std::move(*mapping), 0))
        abort();
    std::vector<virtio::Virtqueue> queues(2, virtio::Virtqueue(16));
    const virtio::Virtqueue::Layout layout{16, 0x1000, 0x2000, 0x3000};
    if (!queues[1].start(memory, layout, virtio::kFeatureVersion1, {}))
        abort();
    const virtio::QueueWiring wiring[] = {{{}, event.get(), event.get()}, {layout, event.get(), event.get()}};
    device.activate({&memory, queues, nullptr, virtio::kFeatureVersion1, wiring});
    device.deactivate();
    if (!loop->run_once({}) || failures > 1)
        abort();
    return 0;
}
