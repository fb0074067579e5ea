// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/console.h"

#include <linux/virtio_console.h>

#include <algorithm>
#include <cstddef>

#include "devices/virtio/config_space.h"
#include "devices/virtio/queue_turn.h"

namespace hrun::virtio {

namespace {

constexpr uint64_t kFeatureSize = 1ull << VIRTIO_CONSOLE_F_SIZE;
constexpr uint64_t kFeatureEmergencyWrite = 1ull << VIRTIO_CONSOLE_F_EMERG_WRITE;
constexpr int kChainsPerTurn = 32;
constexpr size_t kBytesPerTurn = 64 * 1024;

} // namespace

uint64_t ConsoleDevice::device_features() const {
    return kFeatureVersion1 | kFeatureIndirectDesc | kFeatureEventIdx | kFeatureSize | kFeatureEmergencyWrite;
}

std::span<const uint16_t> ConsoleDevice::queue_max_sizes() const {
    static constexpr uint16_t kSizes[] = {kQueueSize, kQueueSize};
    return kSizes;
}

void ConsoleDevice::read_config(uint32_t offset, std::span<std::byte> out) const {
    const virtio_console_config config{columns_, rows_, 0, 0};
    read_config_space(std::as_bytes(std::span(&config, 1)), offset, out);
}

// 5.3.4: a character for when nothing else works yet. It has no way to wait, so a host that is full loses it.
void ConsoleDevice::write_config(uint32_t offset, std::span<const std::byte> data) {
    uint32_t value = 0;
    if (!write_config_field(std::as_writable_bytes(std::span(&value, 1)),
                            offsetof(virtio_console_config, emerg_wr), offset, data) ||
        output_full_)
        return;
    const char byte = static_cast<char>(value);
    output_full_ = host_.output({&byte, 1}) == 0;
}

void ConsoleDevice::activate(const Activation& activation) {
    active_ = activation;
    schedule();
}

void ConsoleDevice::deactivate() {
    turn_.reset();
    active_.reset();
    taken_ = 0;
}

void ConsoleDevice::queue_notify(uint16_t index) {
    if (index == kReceive)
        serve_receive();
    if (index == kTransmit)
        serve_transmit();
}

// The terminal's size is the host's: a driver that was told another is told of the change.
void ConsoleDevice::save(ByteWriter& out) const {
    std::byte input[kInputBytes];
    const size_t size = input_.peek(input, sizeof input);
    out.put_block({input, size});
    out.put<uint32_t>(taken_);
}

Result<void> ConsoleDevice::load(ByteReader& in) {
    const auto input = in.take_block();
    if (input_.append(input.data(), input.size()) < input.size())
        return Error{EBADMSG, "restore a console with " + std::to_string(input.size()) + " bytes of input"};
    taken_ = in.take<uint32_t>();
    return {};
}

size_t ConsoleDevice::receive(std::span<const char> bytes) {
    const size_t taken = input_.append(bytes.data(), bytes.size());
    input_refused_ = taken < bytes.size();
    schedule();
    return taken;
}

void ConsoleDevice::output_ready() {
    output_full_ = false;
    schedule();
}

void ConsoleDevice::resize(uint16_t columns, uint16_t rows) {
    columns_ = columns;
    rows_ = rows;
    if (active_ && (active_->features & kFeatureSize))
        active_->interrupt->signal_config();
}

void ConsoleDevice::schedule() {
    if (active_ && !turn_.active())
        turn_ = loop_.after({}, [this] {
            serve_receive();
            serve_transmit();
        });
}

// ---- host to guest

// While there is no input, the guest's buffers are left where they are.
void ConsoleDevice::serve_receive() {
    if (!active_ || input_.empty())
        return;
    const auto give = [this](const DescriptorChain& chain) { return give_input(chain); };
    if (take_turn(*active_, kReceive, kChainsPerTurn, chain_, give) == Turn::kMore)
        schedule();
    if (input_refused_ && input_.room() > 0) {
        input_refused_ = false;
        host_.input_room();
    }
}

std::optional<uint32_t> ConsoleDevice::give_input(const DescriptorChain& chain) {
    if (input_.empty())
        return std::nullopt;
    size_t given = 0;
    for (const iovec& part : chain.writable) {
        // SAFETY: the segments of a chain lie inside guest memory, checked by Virtqueue::pop.
        const size_t count = input_.peek(part.iov_base, part.iov_len);
        input_.consume(count);
        given += count;
        if (count < part.iov_len)
            break;
    }
    return static_cast<uint32_t>(given);
}

// ---- guest to host

void ConsoleDevice::serve_transmit() {
    if (!active_ || output_full_)
        return;
    output_budget_ = kBytesPerTurn;
    const auto take = [this](const DescriptorChain& chain) { return take_output(chain); };
    const Turn turn = take_turn(*active_, kTransmit, kChainsPerTurn, chain_, take);
    if (turn == Turn::kMore || (turn == Turn::kHeld && !output_full_))
        schedule();
}

// A chain goes back when the host has all of it. One that is waited for may have changed meanwhile: it is then what it is
// now that is passed on, from where the last one was left.
std::optional<uint32_t> ConsoleDevice::take_output(const DescriptorChain& chain) {
    parts_.clear();
    slice(chain.readable, taken_, output_budget_, parts_);
    for (const iovec& part : parts_) {
        const size_t count =
            std::min(part.iov_len, host_.output({static_cast<const char*>(part.iov_base), part.iov_len}));
        taken_ += static_cast<uint32_t>(count);
        output_budget_ -= count;
        output_full_ = count < part.iov_len;
        if (output_full_)
            return std::nullopt;
    }
    if (taken_ < chain.readable_bytes)
        return std::nullopt;
    taken_ = 0;
    return 0;
}

} // namespace hrun::virtio
