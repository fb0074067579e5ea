// SPDX-License-Identifier: Apache-2.0
// The loader of snapshots. The first byte says what the rest is: a whole file; or the content of one section, which gets a header and
// checksums that are right, so that what is behind them is reached too, with devices that then serve the queues they were given.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "boot/x86_64/layout.h"
#include "devices/platform/serial.h"
#include "devices/virtio/balloon.h"
#include "devices/virtio/console.h"
#include "devices/virtio/rng.h"
#include "devices/virtio/vsock.h"
#include "memory/memory_file.h"
#include "transport/mmio.h"
#include "vmm/machine_shape.h"
#include "vmm/snapshot_file.h"
#include "vmm/snapshot_writer.h"

namespace {

using namespace hrun;
using namespace hrun::vmm;

constexpr uint64_t kMemory = 64 * 1024;

Result<SnapshotFile> open_bytes(std::span<const std::byte> bytes) {
    static const int file = memfd_create("snapshot", MFD_CLOEXEC);
    if (ftruncate(file, 0) < 0 ||
        pwrite(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        abort();
    return SnapshotFile::open({"snapshot", file});
}

std::unique_ptr<virtio::Device> make_device(uint8_t which, EventLoop& loop) {
    switch (which % 4) {
    case 0:
        return std::make_unique<virtio::ConsoleDevice>(
            loop, virtio::ConsoleDevice::Host{[](std::span<const char> bytes) { return bytes.size(); }});
    case 1:
        return std::make_unique<virtio::BalloonDevice>(loop, [](const virtio::BalloonStats&) {});
    case 2:
        return std::make_unique<virtio::RngDevice>(loop);
    default:
        return std::make_unique<virtio::VsockDevice>(loop, 3, [](uint32_t) {
            return Result<Fd>(Error{ECONNREFUSED, "connect"});
        });
    }
}

// What a device that was restored puts down again must be taken again.
void check_again(const GuestMemory& memory, EventLoop& loop, uint8_t which,
                 transport::MmioTransport& transport) {
    ByteWriter out;
    if (!transport.save(out))
        abort();
    auto other = make_device(which, loop);
    const auto inline_call = [](const std::function<void()>& function) { function(); };
    auto second = transport::MmioTransport::create(*other, memory, loop, inline_call);
    ByteReader in(out.bytes());
    if (!second || !(*second)->restore(in))
        abort();
}

void restore_device(uint8_t which, ByteReader in) {
    auto loop = std::move(*EventLoop::create());
    auto file = create_memory_file("fuzz", kMemory);
    GuestMemory memory(Backing::kCopyOnWrite);
    if (!memory.add(std::move(*Mapping::copy_on_write(file->get(), 0, kMemory)), 0))
        abort();
    auto device = make_device(which, *loop);
    const auto inline_call = [](const std::function<void()>& function) { function(); };
    auto transport = transport::MmioTransport::create(*device, memory, *loop, inline_call);
    if (!transport)
        abort();
    if (!(*transport)->restore(in))
        return;
    for (int turn = 0; turn < 3; ++turn)
        if (!loop->run_once({}))
            abort();
    check_again(memory, *loop, which, **transport);
}

void restore_serial(ByteReader in) {
    auto interrupt = EventFd::create();
    platform::Serial serial([](char) {}, *interrupt);
    if (!serial.load(in))
        return;
    std::byte byte;
    for (uint64_t port = 0; port < platform::Serial::kPorts; ++port)
        serial.read(port, {&byte, 1});
}

void read_section(SectionKind kind, uint8_t which, ByteReader in) {
    if (kind == SectionKind::kMachine)
        (void)MachineShape::read(in);
    else if (kind == SectionKind::kVm)
        (void)kvm::VmState::read(in);
    else if (kind == SectionKind::kVcpu)
        (void)kvm::VcpuState::read(in, {{0x10, 0x6e0, 0x277}, 4096});
    else if (kind == SectionKind::kSerial)
        restore_serial(in);
    else
        restore_device(which, in);
}

void take_section(uint8_t first, std::span<const std::byte> content) {
    const auto kind = static_cast<SectionKind>(first % 5 + 1);
    std::vector<std::byte> file = encode_state({{kind, 0, {content.begin(), content.end()}}}, kSnapshotPage);
    file.resize((file.size() + kSnapshotPage - 1) / kSnapshotPage * kSnapshotPage + kSnapshotPage);
    auto snapshot = open_bytes(file);
    if (!snapshot)
        abort(); // it is right
    auto in = snapshot->section(kind, 0);
    if (!in)
        abort();
    read_section(kind, first / 8, *in);
}

void take_file(std::span<const std::byte> bytes) {
    auto snapshot = open_bytes(bytes);
    if (!snapshot)
        return;
    for (uint32_t kind = 1; kind <= 5; ++kind)
        for (uint32_t index = 0; index < 4; ++index)
            if (auto in = snapshot->section(static_cast<SectionKind>(kind), index))
                read_section(static_cast<SectionKind>(kind), static_cast<uint8_t>(index), *in);
    if (snapshot->memory_bytes() > 0 && !snapshot->map_memory(0, snapshot->memory_bytes()))
        abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0 || size > kMostStateBytes / 2)
        return 0;
    const auto rest = std::as_bytes(std::span(data, size)).subspan(1);
    if (data[0] == 0xff)
        take_file(rest);
    else
        take_section(data[0], rest);
    return 0;
}
