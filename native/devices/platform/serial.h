// SPDX-License-Identifier: Apache-2.0
// A 16550A serial port, as far as a kernel console and its driver's probing use one: output leaves at once, input is
// kept in a FIFO of 64 bytes. Registers: National Semiconductor PC16550D data sheet, table II.
#pragma once

#include <deque>
#include <functional>
#include <mutex>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/event_fd.h"
#include "base/result.h"
#include "devices/platform/bus.h"

namespace hrun::platform {

class Serial : public BusDevice {
  public:
    // Called on vCPU threads, one at a time, with each byte the guest sends. It must not block.
    using Output = std::function<void(char byte)>;

    static constexpr uint64_t kPort = 0x3f8; // COM1
    static constexpr uint64_t kPorts = 8;

    // `interrupt` (not owned) gets an edge for each new reason to interrupt.
    Serial(Output output, const EventFd& interrupt) : output_(std::move(output)), interrupt_(interrupt) {}

    // Gives input to the guest; returns how many bytes of it the FIFO had room for. From any thread.
    size_t receive(std::span<const char> input);

    void read(uint64_t offset, std::span<std::byte> data) override;
    void write(uint64_t offset, std::span<const std::byte> data) override;

    // Its registers and its FIFO, for snapshots.
    void save(ByteWriter& out);
    // Into a port that no guest has used. Interrupts once more if there is a reason to. EBADMSG when it is no state of a port.
    Result<void> load(ByteReader& in);

  private:
    uint8_t read_register(uint64_t offset);
    void write_register(uint64_t offset, uint8_t value);
    void transmit(uint8_t value);
    uint8_t take_input();
    uint8_t take_interrupt_id();
    uint8_t line_status() const;
    uint8_t modem_status() const;
    void raise_if(bool reason);

    std::mutex mutex_; // guards all below
    Output output_;
    const EventFd& interrupt_;
    std::deque<uint8_t> input_;
    bool transmit_pending_ = false; // the "transmitter empty" interrupt is due
    uint8_t interrupt_enable_ = 0;
    uint8_t line_control_ = 0;
    uint8_t modem_control_ = 0;
    uint8_t scratch_ = 0;
    uint16_t divisor_ = 12; // 9600 baud
    bool fifo_ = false;
};

} // namespace hrun::platform
