// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/vsock_connection.h"

#include <utility>

namespace hrun::virtio {

namespace {

// The guest learns of freed space once this much has come together, or earlier with any other packet.
constexpr uint32_t kCreditStep = VsockStream::kBufferBytes / 4;

} // namespace

VsockConnection::VsockConnection(VsockKey key, Fd socket, const VsockHeader& request)
    : key_(key), state_(State::kEstablished), stream_(std::move(socket)) {
    take_credit(request);
}

VsockConnection::VsockConnection(VsockKey key, Fd socket, Connected connected)
    : key_(key), state_(State::kRequested), stream_(std::move(socket)), connected_(std::move(connected)) {}

void VsockConnection::handle(const VsockHeader& header, std::span<const iovec> payload) {
    take_credit(header);
    const bool open = state_ == State::kEstablished;
    switch (header.op) {
    case kVsockOpResponse:
        return state_ == State::kRequested && !answer_due_ ? established() : reset(EPROTO);
    case kVsockOpRst:
        finished_ = true;
        return abandon(state_ == State::kRequested ? ECONNREFUSED : ECONNRESET);
    case kVsockOpShutdown:
        return open ? handle_shutdown(header.flags) : reset(EPROTO);
    case kVsockOpRw:
        if (!open || (guest_shutdown_ & kVsockShutdownSend) || !stream_.send(payload, header.len))
            reset(EPROTO);
        return;
    case kVsockOpCreditUpdate:
        return;
    case kVsockOpCreditRequest:
        credit_asked_ = true;
        return;
    default: // an unknown operation, or REQUEST for a connection that exists
        reset(EPROTO);
    }
}

void VsockConnection::established() {
    state_ = State::kEstablished;
    if (connected_)
        std::exchange(connected_, nullptr)(key_);
}

void VsockConnection::handle_shutdown(uint32_t flags) {
    guest_shutdown_ |= flags & kVsockShutdownBoth;
    if (guest_shutdown_ & kVsockShutdownSend)
        stream_.finish_sending();
    if (guest_shutdown_ & kVsockShutdownReceive)
        stream_.stop_receiving();
    stream_changed();
}

// A guest that will neither send nor receive is answered with RST as soon as its last byte is with the host.
void VsockConnection::stream_changed() {
    stream_.flush();
    if (state_ == State::kRequested && stream_.write_closed())
        reset(ECANCELED);
    if (guest_shutdown_ == kVsockShutdownBoth && stream_.drained())
        reset(ECONNRESET);
}

void VsockConnection::reset(int error) {
    const bool known_to_guest = !(state_ == State::kRequested && answer_due_);
    state_ = State::kReset;
    finished_ |= !known_to_guest;
    abandon(error);
}

void VsockConnection::abandon(int error) {
    stream_.finish_sending();
    if (connected_)
        std::exchange(connected_,
                      nullptr)(Error{error, "connect to vsock port " + std::to_string(key_.guest_port)});
}

bool VsockConnection::has_packet() const {
    if (finished_)
        return false;
    if (state_ == State::kReset || answer_due_)
        return true;
    return state_ == State::kEstablished &&
           (credit_asked_ || credit_update_due() || shutdown_due() != shutdown_sent_ || data_due());
}

std::optional<VsockConnection::Packet> VsockConnection::next_packet(std::span<const iovec> room,
                                                                    size_t size) {
    if (!has_packet())
        return std::nullopt;
    if (state_ == State::kReset) {
        finished_ = true;
        return Packet{kVsockOpRst};
    }
    if (std::exchange(answer_due_, false))
        return Packet{state_ == State::kRequested ? kVsockOpRequest : kVsockOpResponse};
    if (data_due() && size > 0) {
        const auto bytes = static_cast<uint32_t>(stream_.receive(room));
        sent_ += bytes;
        if (bytes > 0)
            return Packet{kVsockOpRw, 0, bytes};
    }
    if (shutdown_due() != shutdown_sent_) {
        shutdown_sent_ = shutdown_due();
        return Packet{kVsockOpShutdown, shutdown_sent_};
    }
    if (credit_asked_ || credit_update_due())
        return Packet{kVsockOpCreditUpdate};
    return std::nullopt;
}

// All arithmetic modulo 2^32, as 5.10.6.3 has it. A guest whose counters make no sense gets no data.
uint32_t VsockConnection::credit() const {
    const uint32_t in_flight = sent_ - guest_forwarded_;
    return in_flight < guest_buffer_ ? guest_buffer_ - in_flight : 0;
}

void VsockConnection::stamp(VsockHeader& header) {
    credit_asked_ = false;
    told_forwarded_ = stream_.forwarded();
    header.buf_alloc = VsockStream::kBufferBytes;
    header.fwd_cnt = told_forwarded_;
}

void VsockConnection::take_credit(const VsockHeader& header) {
    guest_buffer_ = header.buf_alloc;
    guest_forwarded_ = header.fwd_cnt;
}

uint32_t VsockConnection::shutdown_due() const {
    return shutdown_sent_ | (stream_.read_closed() ? kVsockShutdownSend : 0u) |
           (stream_.write_closed() ? kVsockShutdownReceive : 0u);
}

bool VsockConnection::data_due() const {
    return stream_.readable() && credit() > 0 && !(guest_shutdown_ & kVsockShutdownReceive);
}

bool VsockConnection::credit_update_due() const {
    return stream_.forwarded() - told_forwarded_ >= kCreditStep && !(guest_shutdown_ & kVsockShutdownSend);
}

} // namespace hrun::virtio
