// SPDX-License-Identifier: Apache-2.0
// One vsock connection as the host's end of it sees it (virtio 1.2, 5.10.6): state, credit, and what it has to
// say to the guest next. It never queues packets: what is due is a set of flags, so its size is fixed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/event_loop.h"
#include "base/result.h"
#include "devices/virtio/vsock_packet.h"
#include "devices/virtio/vsock_stream.h"

namespace hrun::virtio {

struct VsockKey {
    uint32_t host_port;
    uint32_t guest_port;

    auto operator<=>(const VsockKey&) const = default;
};

class VsockConnection {
  public:
    enum class State {
        kRequested,   // by the host; the guest has not answered
        kEstablished, // data may flow
        kReset,       // a RST is due, then the connection is gone
    };
    // Told once when the connection that the host asked for is established, or why it is not.
    using Connected = std::function<void(Result<VsockKey>)>;

    // What to send next. kRw with `bytes` of payload already read into the buffers given to next_packet.
    struct Packet {
        VsockOp op;
        uint32_t flags = 0;
        uint32_t bytes = 0;
    };

    // From the guest: `request` is its OP_REQUEST.
    VsockConnection(VsockKey key, Fd socket, const VsockHeader& request);
    // From the host.
    VsockConnection(VsockKey key, Fd socket, Connected connected);

    VsockKey key() const { return key_; }
    State state() const { return state_; }
    VsockStream& stream() { return stream_; }
    // Both sides are done: after a RST nothing is left to do but let the host read what is kept.
    bool finished() const { return finished_; }

    // A packet of the guest for this connection; `payload` are `header.len` bytes.
    void handle(const VsockHeader& header, std::span<const iovec> payload);
    // The stream may have become readable or writable.
    void stream_changed();
    // Ends the connection with a RST.
    void reset(int error);
    // The guest's end is gone; tells a host that waits for it.
    void abandon(int error);

    // Something is to be sent.
    bool has_packet() const;
    // Takes the next packet; payload is read into `room`, at most `size` bytes of it.
    std::optional<Packet> next_packet(std::span<const iovec> room, size_t size);
    // Bytes of payload that next_packet could use: the guest's credit.
    uint32_t credit() const;
    // Fills the credit fields of a header that is about to be sent.
    void stamp(VsockHeader& header);

    // The host is gone and the guest was told: it has until `deadline` to answer with RST (5.10.6.6).
    bool awaits_reset() const {
        return shutdown_sent_ == kVsockShutdownBoth && state_ == State::kEstablished;
    }
    bool queued = false; // the device has it in its list of connections with packets
    Timer deadline;

  private:
    void established();
    void handle_shutdown(uint32_t flags);
    void take_credit(const VsockHeader& header);
    uint32_t shutdown_due() const;
    bool data_due() const;
    bool credit_update_due() const;

    VsockKey key_;
    State state_;
    VsockStream stream_;
    Connected connected_;
    bool finished_ = false;
    bool answer_due_ = true; // REQUEST or RESPONSE
    bool credit_asked_ = false;
    uint32_t guest_shutdown_ = 0; // what the guest will do no more
    uint32_t shutdown_sent_ = 0;  // what the guest was told that the host will do no more
    uint32_t sent_ = 0;           // payload bytes sent to the guest, modulo 2^32
    uint32_t guest_buffer_ = 0;   // the guest's buf_alloc
    uint32_t guest_forwarded_ = 0;
    uint32_t told_forwarded_ = 0; // fwd_cnt in the last packet sent
};

} // namespace hrun::virtio
