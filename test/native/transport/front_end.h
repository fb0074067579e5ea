// SPDX-License-Identifier: Apache-2.0
// The front end's half of vhost-user for tests: what QEMU sends, over a real socket pair, and what it must not send.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <cstring>
#include <functional>
#include <optional>
#include <vector>

#include "base/event_fd.h"
#include "base/event_loop.h"
#include "base/unix_socket.h"
#include "devices/virtio/vsock.h"
#include "memory/memory_file.h"
#include "transport/vhost_user.h"

namespace hrun::vhost_user::test {

class FrontEnd {
  public:
    static constexpr uint64_t kMemory = 1 << 20;
    static constexpr uint64_t kUser = 0x7f0000000000; // the front end's address of guest address 0

    using MakeDevice = std::function<std::unique_ptr<virtio::Device>(EventLoop& loop)>;

    explicit FrontEnd(const MakeDevice& make_device = make_vsock) {
        auto made = EventLoop::create();
        REQUIRE(made);
        loop = std::move(*made);
        device = make_device(*loop);
        auto pair = unix_pair();
        REQUIRE(pair);
        socket = std::move(pair->first);
        backend = std::make_unique<Backend>(*loop, *device, std::move(pair->second),
                                            [this](const Error& error) { closed = error; });
        REQUIRE(backend->start());
        auto file = create_memory_file("test", kMemory);
        REQUIRE(file);
        memory_file = std::move(*file);
        auto mapping = Mapping::share(memory_file.get(), 0, kMemory);
        REQUIRE(mapping);
        REQUIRE(memory.add(std::move(*mapping), 0));
    }

    void send_raw(const void* bytes, size_t size, const std::vector<int>& fds = {}) {
        alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {};
        iovec part{const_cast<void*>(bytes), size};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        if (!fds.empty()) {
            message.msg_control = control;
            message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
            cmsghdr* head = CMSG_FIRSTHDR(&message);
            head->cmsg_level = SOL_SOCKET;
            head->cmsg_type = SCM_RIGHTS;
            head->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
            memcpy(CMSG_DATA(head), fds.data(), fds.size() * sizeof(int));
        }
        sendmsg(socket.get(), &message, MSG_NOSIGNAL);
        settle();
    }

    void send(uint32_t request, const void* payload, uint32_t size, const std::vector<int>& fds = {},
              uint32_t flags = kFlagVersion) {
        std::vector<char> bytes(sizeof(Header) + size);
        const Header header{request, flags, size};
        memcpy(bytes.data(), &header, sizeof header);
        if (size > 0)
            memcpy(bytes.data() + sizeof header, payload, size);
        send_raw(bytes.data(), bytes.size(), fds);
    }
    template <class T> void send(uint32_t request, const T& payload, const std::vector<int>& fds = {}) {
        send(request, &payload, sizeof payload, fds);
    }

    template <class T> std::optional<T> reply(uint32_t request) {
        struct {
            Header header;
            T payload;
        } __attribute__((packed)) answer;
        if (recv(socket.get(), &answer, sizeof answer, MSG_DONTWAIT) != sizeof answer)
            return std::nullopt;
        if (answer.header.request != request || answer.header.flags != (kFlagVersion | kFlagReply))
            return std::nullopt;
        return T(answer.payload);
    }

    void set_memory() {
        struct {
            uint32_t count = 1, padding = 0;
            MemoryRegion region{0, kMemory, kUser, 0};
        } table;
        send(kSetMemTable, table, {memory_file.get()});
    }

    void start_ring(uint32_t index, const virtio::Virtqueue::Layout& layout) {
        send(kSetVringNum, VringState{index, layout.size});
        send(kSetVringBase, VringState{index, 0});
        send(kSetVringAddr, VringAddress{index, 0, kUser + layout.descriptor_table,
                                         kUser + layout.device_area, kUser + layout.driver_area, 0});
        kicks[index] = std::move(*EventFd::create());
        calls[index] = std::move(*EventFd::create());
        send(kSetVringCall, uint64_t{index}, {calls[index].get()});
        send(kSetVringKick, uint64_t{index}, {kicks[index].get()});
        send(kSetVringEnable, VringState{index, 1});
    }

    void settle() {
        for (int i = 0; i < 3; ++i)
            REQUIRE(loop->run_once({}));
    }

    std::unique_ptr<EventLoop> loop;
    std::unique_ptr<virtio::Device> device;
    Fd socket;
    std::optional<Error> closed;
    std::unique_ptr<Backend> backend;
    Fd memory_file;
    GuestMemory memory;
    EventFd kicks[4];
    EventFd calls[4];

  private:
    static std::unique_ptr<virtio::Device> make_vsock(EventLoop& loop) {
        return std::make_unique<virtio::VsockDevice>(loop, 3, [](uint32_t) -> Result<Fd> {
            return Error{ECONNREFUSED, "test"};
        });
    }
};

} // namespace hrun::vhost_user::test
