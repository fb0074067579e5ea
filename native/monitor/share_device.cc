// SPDX-License-Identifier: Apache-2.0
#include "monitor/share_device.h"

#include <linux/virtio_fs.h>

#include <cstring>

#include "monitor/share_daemon.h"
#include "qemu/command_line.h"

namespace hrun::monitor {

namespace {

// One queue for requests, which is all that virtiofsd serves, behind the one for what must not wait. As long as QEMU's
// virtio-mmio has them: Linux's requests are as large as its queue is long.
constexpr uint16_t kQueueSize = 1024;
constexpr uint32_t kRequestQueues = 1;

std::vector<std::byte> config_space() {
    virtio_fs_config config{};
    static_assert(sizeof qemu::kShareTag <= sizeof config.tag);
    memcpy(config.tag, qemu::kShareTag, sizeof qemu::kShareTag);
    config.num_request_queues = kRequestQueues;
    const auto bytes = std::as_bytes(std::span(&config, 1));
    return {bytes.begin(), bytes.end()};
}

bool has_gone(const Error& error) {
    return error.code == ECONNRESET || error.code == EPIPE;
}

} // namespace

std::unique_ptr<vhost_user::RemoteDevice> make_share_device(EventLoop& loop, Fd socket,
                                                            std::function<void(std::string)> failed) {
    return std::make_unique<vhost_user::RemoteDevice>(
        loop, std::move(socket),
        vhost_user::RemoteDevice::Identity{
            virtio::kFileSystem, std::vector<uint16_t>(1 + kRequestQueues, kQueueSize), config_space()},
        [failed = std::move(failed)](const Error& error) {
            failed(has_gone(error)
                       ? kShareDaemonEnded
                       : "the daemon that shares the host's directories failed: " + error.message());
        });
}

// Guest addresses stand for user addresses: the daemon learns none of this process's.
Result<void> connect_share_device(vhost_user::RemoteDevice& device, const vmm::MachineMemory& memory) {
    std::vector<vhost_user::MemoryRegion> regions;
    uint64_t offset = 0;
    for (const boot::Range& range : memory.ranges) {
        regions.push_back({range.address, range.size, range.address, offset});
        offset += range.size;
    }
    const Result<void> connected = device.connect(memory.file.get(), std::move(regions));
    if (!connected && has_gone(connected.error()))
        return Error{connected.error().code,
                     "start the daemon that shares the host's directories (see monitor.log)"};
    return connected;
}

} // namespace hrun::monitor
