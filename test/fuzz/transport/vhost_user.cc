// SPDX-License-Identifier: Apache-2.0
// The vhost-user back end against a front end that says anything. Each message of the input is preceded by one byte:
// how many descriptors come with it, and of which kind.
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cstring>

#include "base/unix_socket.h"
#include "devices/virtio/vsock.h"
#include "memory/memory_file.h"
#include "transport/vhost_user.h"

namespace {

using namespace hrun;

constexpr uint64_t kMemory = 64 * 1024;

void send_with_fds(int socket, const uint8_t* data, size_t size, int fd, size_t count) {
    alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {};
    iovec part{const_cast<uint8_t*>(data), size};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        cmsghdr* head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        for (size_t i = 0; i < count; ++i)
            memcpy(CMSG_DATA(head) + i * sizeof fd, &fd, sizeof fd);
    }
    sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const Fd memory = std::move(*create_memory_file("fuzz", kMemory));
    static const Fd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    auto loop = std::move(*EventLoop::create());
    auto pair = std::move(*unix_pair());
    virtio::VsockDevice device(*loop, 3, [](uint32_t) -> Result<Fd> { return Error{ECONNREFUSED, "fuzz"}; });
    vhost_user::Backend backend(*loop, device, std::move(pair.second), [](const Error&) {});
    if (!backend.start())
        return 0;
    while (size > 1 + sizeof(vhost_user::Header)) {
        const size_t count = data[0] & 15;
        const int fd = data[0] & 16 ? memory.get() : event.get();
        ++data;
        --size;
        vhost_user::Header header;
        memcpy(&header, data, sizeof header);
        const size_t whole = sizeof header + std::min<size_t>(header.size, vhost_user::kMaxPayload);
        const size_t take = std::min(size, whole);
        send_with_fds(pair.first.get(), data, take, fd, count);
        data += take;
        size -= take;
        eventfd_write(event.get(), 1);
        if (!loop->run_once({}))
            return 0;
        char answer[1024];
        while (recv(pair.first.get(), answer, sizeof answer, MSG_DONTWAIT) > 0) {
        }
    }
    return 0;
}
