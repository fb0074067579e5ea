// SPDX-License-Identifier: Apache-2.0
// The registers of virtio-mmio under any accesses, in any order, with a console behind them. Each access is a byte that says
// which, then the value.
#include "transport/mmio.h"

#include <linux/virtio_mmio.h>

#include <cstdlib>
#include <cstring>

#include "devices/virtio/console.h"
#include "memory/memory_file.h"

namespace {

using namespace hrun;

constexpr uint64_t kMemory = 64 * 1024;
constexpr uint32_t kRegisters[] = {
    VIRTIO_MMIO_STATUS,           VIRTIO_MMIO_DRIVER_FEATURES_SEL, VIRTIO_MMIO_DRIVER_FEATURES,
    VIRTIO_MMIO_QUEUE_SEL,        VIRTIO_MMIO_QUEUE_NUM,           VIRTIO_MMIO_QUEUE_READY,
    VIRTIO_MMIO_QUEUE_DESC_LOW,   VIRTIO_MMIO_QUEUE_DESC_HIGH,     VIRTIO_MMIO_QUEUE_AVAIL_LOW,
    VIRTIO_MMIO_QUEUE_AVAIL_HIGH, VIRTIO_MMIO_QUEUE_USED_LOW,      VIRTIO_MMIO_QUEUE_USED_HIGH,
    VIRTIO_MMIO_INTERRUPT_ACK,    VIRTIO_MMIO_DEVICE_FEATURES_SEL, VIRTIO_MMIO_QUEUE_NOTIFY,
    VIRTIO_MMIO_CONFIG + 8};

struct Guest {
    Guest() {
        auto file = create_memory_file("fuzz", kMemory);
        auto mapping = Mapping::share(file->get(), 0, kMemory);
        bytes = mapping->data();
        if (!memory.add(std::move(*mapping), 0))
            abort();
    }
    GuestMemory memory;
    std::byte* bytes = nullptr;
};

template <class T> T take(const uint8_t*& data, size_t& size) {
    T value{};
    const size_t count = std::min(sizeof value, size);
    memcpy(&value, data, count);
    data += count;
    size -= count;
    return value;
}

uint32_t read_word(transport::MmioTransport& transport, uint64_t offset) {
    uint32_t value = 0;
    transport.read(offset, std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

// What the driver may rely on, whatever it did: FEATURES_OK only with VERSION_1, DRIVER_OK only after FEATURES_OK; after a
// reset no interrupt and no status; a configuration space that is the device's.
void check_status(transport::MmioTransport& transport, const virtio::Device& device) {
    const uint32_t status = read_word(transport, VIRTIO_MMIO_STATUS);
    const uint32_t interrupts = read_word(transport, VIRTIO_MMIO_INTERRUPT_STATUS);
    if (((status & 4) && !(status & 8)) || interrupts > 3 || (status == 0 && (interrupts & 1)))
        abort();
    for (uint32_t at = 0; at < 16; at += 4) {
        uint32_t config = 0;
        device.read_config(at, std::as_writable_bytes(std::span(&config, 1)));
        if (read_word(transport, VIRTIO_MMIO_CONFIG + at) != config)
            abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const Guest guest;
    memset(guest.bytes, 0, kMemory);
    auto loop = std::move(*EventLoop::create());
    virtio::ConsoleDevice console(*loop, {[](std::span<const char> bytes) { return bytes.size(); }});
    const auto inline_call = [](const std::function<void()>& function) { function(); };
    auto transport = transport::MmioTransport::create(console, guest.memory, *loop, inline_call);
    if (!transport)
        abort();
    for (int steps = 0; size > 0 && steps < 300; ++steps) {
        const auto what = take<uint8_t>(data, size);
        uint64_t value =
            what & 0x40 ? take<uint32_t>(data, size) : take<uint8_t>(data, size) << (what & 0x20 ? 8 : 0);
        const auto bytes = std::as_writable_bytes(std::span(&value, 1));
        if (what & 0x80) // any address, any width
            (what & 0x10 ? transport->get()->write(value % 0x1000, bytes.first(1 + what % 8))
                         : transport->get()->read(value % 0x1000, bytes.first(1 + what % 8)));
        else if (what & 0x10)
            transport->get()->notification(what & 1).signal();
        else
            transport->get()->write(kRegisters[what & 15], bytes.first(4));
        if (what == 0x9f)
            memcpy(guest.bytes + value % (kMemory - 64), data, std::min<size_t>(size, 64));
        check_status(**transport, console);
        console.receive({"x", 1});
        if (!loop->run_once({}))
            abort();
    }
    return 0;
}
