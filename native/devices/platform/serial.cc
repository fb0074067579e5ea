// SPDX-License-Identifier: Apache-2.0
#include "devices/platform/serial.h"

#include <vector>

namespace hrun::platform {

namespace {

constexpr size_t kFifoSize = 64;

enum Register : uint64_t {
    kData,
    kInterruptEnable,
    kInterruptId,
    kLineControl,
    kModemControl,
    kLineStatus,
    kModemStatus,
    kScratch
};

constexpr uint8_t kEnableReceived = 1;
constexpr uint8_t kEnableTransmitted = 2;
constexpr uint8_t kInterruptReasons = 0x0f; // that can be enabled
constexpr uint8_t kModemControls = 0x1f;

constexpr uint8_t kIdNone = 1;
constexpr uint8_t kIdTransmitted = 2;
constexpr uint8_t kIdReceived = 4;
constexpr uint8_t kIdFifo = 0xc0;

constexpr uint8_t kDivisorLatch = 0x80; // line control
constexpr uint8_t kLoopback = 0x10;     // modem control

constexpr uint8_t kDataReady = 1; // line status
constexpr uint8_t kTransmitterEmpty = 0x60;

constexpr uint8_t kModemReady = 0xb0; // carrier, data set ready, clear to send

} // namespace

size_t Serial::receive(std::span<const char> input) {
    std::lock_guard lock(mutex_);
    const size_t count = std::min(input.size(), kFifoSize - input_.size());
    input_.insert(input_.end(), input.begin(), input.begin() + static_cast<ptrdiff_t>(count));
    raise_if(count > 0 && (interrupt_enable_ & kEnableReceived));
    return count;
}

void Serial::read(uint64_t offset, std::span<std::byte> data) {
    std::lock_guard lock(mutex_);
    for (std::byte& byte : data)
        byte = std::byte{0xff};
    data[0] = std::byte{read_register(offset)};
}

void Serial::write(uint64_t offset, std::span<const std::byte> data) {
    std::lock_guard lock(mutex_);
    write_register(offset, static_cast<uint8_t>(data[0]));
}

void Serial::save(ByteWriter& out) {
    std::lock_guard lock(mutex_);
    const std::vector<uint8_t> input(input_.begin(), input_.end());
    out.put_block(std::as_bytes(std::span(input)));
    for (const uint8_t value : {uint8_t{transmit_pending_}, interrupt_enable_, line_control_, modem_control_,
                                scratch_, uint8_t{fifo_}})
        out.put(value);
    out.put(divisor_);
}

Result<void> Serial::load(ByteReader& in) {
    std::lock_guard lock(mutex_);
    const auto input = in.take_block();
    transmit_pending_ = in.take<uint8_t>() != 0;
    interrupt_enable_ = in.take<uint8_t>() & kInterruptReasons;
    line_control_ = in.take<uint8_t>();
    modem_control_ = in.take<uint8_t>() & kModemControls;
    scratch_ = in.take<uint8_t>();
    fifo_ = in.take<uint8_t>() != 0;
    divisor_ = in.take<uint16_t>();
    if (!in.finished() || input.size() > kFifoSize)
        return Error{EBADMSG, "restore a serial port from what is no state of one"};
    for (const std::byte byte : input)
        input_.push_back(static_cast<uint8_t>(byte));
    raise_if((transmit_pending_ && (interrupt_enable_ & kEnableTransmitted)) ||
             (!input_.empty() && (interrupt_enable_ & kEnableReceived)));
    return {};
}

uint8_t Serial::read_register(uint64_t offset) {
    const bool latch = line_control_ & kDivisorLatch;
    switch (offset) {
    case kData:
        return latch ? static_cast<uint8_t>(divisor_) : take_input();
    case kInterruptEnable:
        return latch ? static_cast<uint8_t>(divisor_ >> 8) : interrupt_enable_;
    case kInterruptId:
        return take_interrupt_id();
    case kLineControl:
        return line_control_;
    case kModemControl:
        return modem_control_;
    case kLineStatus:
        return line_status();
    case kModemStatus:
        return modem_status();
    default:
        return scratch_;
    }
}

void Serial::write_register(uint64_t offset, uint8_t value) {
    const bool latch = line_control_ & kDivisorLatch;
    if (latch && offset <= kInterruptEnable) {
        divisor_ = offset == kData ? static_cast<uint16_t>((divisor_ & 0xff00) | value)
                                   : static_cast<uint16_t>((divisor_ & 0xff) | value << 8);
        return;
    }
    switch (offset) {
    case kData:
        transmit(value);
        break;
    case kInterruptEnable: {
        const uint8_t newly = value & ~interrupt_enable_;
        interrupt_enable_ = value & kInterruptReasons;
        transmit_pending_ |= (newly & kEnableTransmitted) != 0;
        raise_if((newly & kEnableTransmitted) || ((newly & kEnableReceived) && !input_.empty()));
        break;
    }
    case kInterruptId: // writing: FIFO control
        fifo_ = value & 1;
        if (value & 2)
            input_.clear();
        break;
    case kLineControl:
        line_control_ = value;
        break;
    case kModemControl:
        modem_control_ = value & kModemControls;
        break;
    case kScratch:
        scratch_ = value;
        break;
    }
}

void Serial::transmit(uint8_t value) {
    if (modem_control_ & kLoopback) {
        if (input_.size() < kFifoSize)
            input_.push_back(value);
        raise_if(interrupt_enable_ & kEnableReceived);
        return;
    }
    output_(static_cast<char>(value));
    transmit_pending_ = true;
    raise_if(interrupt_enable_ & kEnableTransmitted);
}

uint8_t Serial::take_input() {
    if (input_.empty())
        return 0;
    const uint8_t value = input_.front();
    input_.pop_front();
    return value;
}

// Reading the register ends a "transmitter empty" interrupt; a "received" one ends when the data is read.
uint8_t Serial::take_interrupt_id() {
    const uint8_t fifo = fifo_ ? kIdFifo : 0;
    if ((interrupt_enable_ & kEnableReceived) && !input_.empty())
        return fifo | kIdReceived;
    if ((interrupt_enable_ & kEnableTransmitted) && std::exchange(transmit_pending_, false))
        return fifo | kIdTransmitted;
    return fifo | kIdNone;
}

uint8_t Serial::line_status() const {
    return kTransmitterEmpty | (input_.empty() ? 0 : kDataReady);
}

// In loopback the modem control outputs come back as inputs: RTS to CTS, DTR to DSR, OUT1 to RI, OUT2 to DCD.
uint8_t Serial::modem_status() const {
    if (!(modem_control_ & kLoopback))
        return kModemReady;
    const uint8_t control = modem_control_;
    return static_cast<uint8_t>((control & 2) << 3 | (control & 1) << 5 | (control & 4) << 4 |
                                (control & 8) << 4);
}

void Serial::raise_if(bool reason) {
    if (reason)
        interrupt_.signal();
}

} // namespace hrun::platform
