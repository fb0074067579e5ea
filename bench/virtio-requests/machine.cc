// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "devices/virtio/blk.h"
#include "devices/virtio/hybrid_vsock.h"
#include "devices/virtio/net.h"
#include "devices/virtio/net_tap.h"
#include "instant_disk.h"
#include "roles.h"
#include "vmm/builder.h"

namespace hrun::bench {

namespace {

constexpr uint64_t kMemory = 64 << 20;
constexpr uint64_t kCid = 3;

Result<std::unique_ptr<virtio::Device>> make_disk(EventLoop& loop, const std::string& path) {
    if (path.empty())
        return std::unique_ptr<virtio::Device>(std::make_unique<InstantDisk>());
    auto backend = virtio::BlkBackend::create(Fd(open(path.c_str(), O_RDWR | O_CLOEXEC)), false);
    if (!backend)
        return backend.error();
    auto blk = virtio::BlkDevice::create(loop, std::move(*backend), "disk");
    if (!blk)
        return blk.error();
    return std::unique_ptr<virtio::Device>(std::move(*blk));
}

Result<std::unique_ptr<virtio::Device>> make_net(EventLoop& loop, const std::string& tap) {
    auto queues = virtio::NetTap::open(tap, 1);
    if (!queues)
        return queues.error();
    auto backend = virtio::NetTap::create(std::move(queues->front()));
    if (!backend)
        return backend.error();
    auto net = virtio::NetDevice::create(loop, std::move(*backend), {.mac = {2}});
    if (!net)
        return net.error();
    return std::unique_ptr<virtio::Device>(std::move(*net));
}

Result<std::vector<vmm::SlotDevice>> make_devices(EventLoop& loop, const MachineParts& parts,
                                                  virtio::HybridVsock& hybrid) {
    auto disk = make_disk(loop, parts.disk);
    if (!disk)
        return disk.error();
    auto net = make_net(loop, parts.tap);
    if (!net)
        return net.error();
    auto vsock = std::make_unique<virtio::VsockDevice>(
        loop, kCid, [&hybrid](uint32_t port) { return hybrid.accept_from_guest(port); });
    HRUN_TRY(hybrid.listen(*vsock));
    std::vector<vmm::SlotDevice> devices;
    devices.push_back({0, std::move(*disk)});
    devices.push_back({1, std::move(vsock)});
    devices.push_back({2, std::move(*net)});
    return devices;
}

Result<void> run(const MachineParts& parts, int directory) {
    auto system = kvm::System::open();
    if (!system)
        return system.error();
    auto supported = system->supported_cpuid();
    if (!supported)
        return supported.error();
    const vmm::CpuidTable cpuid = vmm::apply_cpuid_template(*supported);
    auto loop = EventLoop::create();
    if (!loop)
        return loop.error();
    virtio::HybridVsock hybrid(**loop, directory, "vsock.sock");
    auto devices = make_devices(**loop, parts, hybrid);
    if (!devices)
        return devices.error();
    vmm::Builder builder(*system, cpuid, **loop);
    builder.on_console(
        [](char byte) { [[maybe_unused]] const ssize_t n = ::write(STDOUT_FILENO, &byte, 1); });
    auto machine =
        builder.build({.kernel = parts.guest, .memory = kMemory, .pit = false}, std::move(*devices));
    if (!machine)
        return machine.error();
    auto input = (*loop)->watch(STDIN_FILENO, EPOLLIN, [&](uint32_t) {
        char bytes[16];
        const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
        if (count <= 0)
            return (*loop)->stop();
        (*machine)->console_input(std::span<const char>(bytes, static_cast<size_t>(count)));
    });
    if (!input)
        return input.error();
    HRUN_TRY((*machine)->start());
    return (*loop)->run();
}

} // namespace

int run_machine(const MachineParts& parts) {
    const Fd at(open(parts.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const Result<void> ran = run(parts, at.get());
    if (!ran)
        fprintf(stderr, "machine: %s\n", ran.error().message().c_str());
    return ran ? 0 : 1;
}

} // namespace hrun::bench
