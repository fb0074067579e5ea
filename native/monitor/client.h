// SPDX-License-Identifier: Apache-2.0
// One client of the control socket: what it asked for, where it is in the output, and its input not yet passed on.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "base/byte_ring.h"
#include "base/event_loop.h"
#include "base/fd.h"
#include "monitor/frames.h"
#include "monitor/outbox.h"
#include "monitor/output.h"

namespace hrun::monitor {

class Client;

struct JoinRequest {
    enum class Step {
        kDisk,  // `descriptor`: a disk's file
        kJoin,  // with those that came: `read_only`, a bit for each in their order
        kAgent, // `descriptor`: a socket that is to lead to the new agent
        kPart,
    };
    Step step;
    Fd descriptor;
    uint32_t read_only = 0;
};

// What clients ask of the VM.
// What only a machine that runs can do is refused by default: nothing runs.
class ClientEvents {
  public:
    virtual ~ClientEvents() = default;
    virtual void client_attached(Client& client) = 0;
    virtual void client_signal(uint32_t number) = 0;
    virtual void client_resize(std::string_view rows_and_columns) = 0;
    virtual void client_stop(const hrun_stop& stop) = 0;
    virtual void client_pause(Client& client, bool paused) = 0;
    // A network interface for the machine: its tap, and perhaps a record that is to be held as long as the interface is there.
    virtual void client_plug(Client& client, const hrun_plug& plug, std::vector<Fd> descriptors);
    virtual void client_unplug(Client& client, uint32_t slot);
    // A container that joins this one in its machine, step by step: a client that has begun with it asks for nothing else.
    virtual void client_joins(Client& client, JoinRequest request);
    // The machine is to be saved, its state into the file; all stands still until the client releases it.
    virtual void client_checkpoint(Client& client, Fd state);
    // It may go on, or is to end.
    virtual void client_release(Client& client, bool go_on);
    // Output may go to it, or input has come from it.
    virtual void client_ready() = 0;
    // It is gone; called once, not from inside a call to it.
    virtual void client_gone(Client& client) = 0;
};

using Outputs = std::array<Output, 2>; // stdout, stderr

class Client {
  public:
    // The first client gets the output from its first byte: until it has said what it wants, output waits for it.
    Client(EventLoop& loop, ClientEvents& events, Fd socket, bool first);

    Result<void> start();
    bool attached() const { return flags_.has_value(); }
    // What the output must be kept for, per stream; nothing when the client does not want it.
    std::optional<uint64_t> needs(size_t output) const;
    // Begins to get output from its present end (the first client: from the start).
    void attach(const Outputs& outputs, hrun_attached_state state);

    // Sends output as far as the client's credit goes. EXIT or ERROR, once given by finish(), follows the last byte.
    void pump(const Outputs& outputs);
    void send(std::string_view frames);
    // A frame and a descriptor; false when the client does not take it at once.
    bool send_descriptor(std::string_view frame, int descriptor);
    void finish(std::string last_frame) { last_frame_ = std::move(last_frame); }
    // Sends the very last frame, once everything before it was sent. True when nothing more is owed to this client.
    bool say_gone(std::string_view gone_frame);

    // Input that waits to be passed on.
    ByteRing& input() { return input_; }
    // `bytes` of the input were passed on.
    void credit_input(size_t bytes);
    // End of file was sent and all before it taken.
    bool input_ended() const { return input_ended_ && input_.empty(); }
    bool gone() const { return gone_; }

  private:
    void receive();
    void leave();
    Result<void> handle(const Frame& frame);
    Result<void> handle_data(const Frame& frame);
    Result<void> handle_plug(const Frame& frame);
    Result<void> handle_attach(const Frame& frame);
    Result<void> handle_stop(const Frame& frame);
    Result<void> handle_checkpoint(const Frame& frame);
    Result<void> handle_join(const Frame& frame);
    bool pump_stream(const Output& output, size_t index);
    bool wants(size_t output) const;

    EventLoop& loop_;
    ClientEvents& events_;
    Fd socket_;
    Watch watch_;
    Timer departure_;
    FrameReader reader_;
    Outbox outbox_;
    bool first_;
    bool greeted_ = false;
    bool joins_ = false;
    bool gone_ = false;
    std::optional<uint32_t> flags_; // enum hrun_attach_flags
    std::array<uint64_t, 2> position_{};
    std::array<size_t, 2> credit_{HRUN_INITIAL_CREDIT, HRUN_INITIAL_CREDIT};
    std::array<bool, 2> end_sent_{};
    ByteRing input_{HRUN_INITIAL_CREDIT};
    bool input_ended_ = false;
    uint32_t input_owed_ = 0;
    std::string last_frame_;
    bool last_sent_ = false;
    bool gone_sent_ = false;
};

} // namespace hrun::monitor
