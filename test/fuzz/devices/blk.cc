// SPDX-License-Identifier: Apache-2.0
// A disk of 64 KiB. The device and its threads are made once: each input begins with a reset.
#include "devices/virtio/blk.h"

#include "script.h"

using namespace hrun;

namespace {

constexpr uint64_t kDisk = 64 * 1024;

struct Disk {
    explicit Disk(bool read_only) : loop(std::move(*EventLoop::create())) {
        auto file = create_memory_file("disk", kDisk);
        auto backend = virtio::BlkBackend::create(std::move(*file), read_only);
        device = std::move(*virtio::BlkDevice::create(*loop, std::move(*backend), "fuzz"));
    }
    std::unique_ptr<EventLoop> loop;
    std::unique_ptr<virtio::BlkDevice> device;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const fuzz::Memory memory;
    static const Disk writable(false), read_only(true);
    fuzz::Script script(data, size);
    const Disk& disk = script.take<uint8_t>() & 1 ? read_only : writable;
    fuzz::Driver(memory, *disk.device).run(script, *disk.loop, [&](fuzz::Script&) {
        if (!disk.loop->run_once(std::chrono::milliseconds(1))) // what is in flight may end
            abort();
    });
    return 0;
}
