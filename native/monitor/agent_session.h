// SPDX-License-Identifier: Apache-2.0
// A connection of the monitor's to the agent: the container's own session, or a probe's (docs/agent-protocol.md).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/fd.h"
#include "monitor/frames.h"
#include "monitor/outbox.h"

namespace hrun::monitor {

// What the agent reports. An error returned ends the session as broken.
// What a session never asks for needs no answer: only a container's own has all of them.
class AgentEvents {
  public:
    virtual ~AgentEvents() = default;
    virtual void agent_connected() {}
    virtual void agent_configured() {}
    virtual void agent_started(uint32_t /*pid*/) {}
    // `bytes` empty: the stream has ended.
    virtual Result<void> agent_output(uint8_t stream, std::string_view bytes) = 0;
    virtual void agent_exit(const hrun_exit& exit) = 0;
    virtual void agent_error(const hrun_error& error, std::string_view message) = 0;
    virtual void agent_shutdown_done() {}
    // Every process of the container stands still, or goes on.
    virtual void agent_paused(bool /*paused*/) {}
    // The answer to suspend(): nothing more comes over the connection until it is woken; or `why` not.
    virtual Result<void> agent_suspended(std::string_view /*why*/) {
        return Error{EPROTO, "agent was not asked"};
    }
    // The container's processes go on, of the machine that stood still or of one that was restored.
    virtual Result<void> agent_awake(uint32_t /*pid*/) { return Error{EPROTO, "agent was not asked"}; }
    // Input may be sent again.
    virtual void agent_input_room() {}
    // The connection has ended; ECONNRESET when the agent closed it, EPROTO when it broke the contract.
    virtual void agent_gone(const Error& error) = 0;
};

class AgentSession {
  public:
    AgentSession(EventLoop& loop, AgentEvents& events) : loop_(loop), events_(events) {}

    // Talks over `socket`: sends HELLO and, unless they are empty, CONFIGURE and START at once.
    Result<void> begin(Fd socket, std::string_view configure, std::string_view start);
    // Talks over `socket` to the agent of a machine that was saved while it was suspended, in this place or another. What came before
    // counts no more.
    // `identity`: of the container that it is now, in another place; TLVs, or nothing.
    Result<void> begin_awake(Fd socket, const hrun_wake& wake, std::string_view identity);
    bool open() const { return socket_.valid(); }
    // Handles what has come and not been read yet, for instance after the guest's end.
    void drain();

    // Bytes of input the agent will take now.
    size_t input_credit() const { return input_credit_; }
    // At most input_credit() and HRUN_MAX_DATA bytes; none is end of file.
    void send_input(std::string_view bytes);
    // `bytes` of an output stream are done with; the agent is told when enough have come together.
    void credit(uint8_t stream, size_t bytes);
    void signal(uint32_t number) { send(frame_of(HRUN_SIGNAL, number)); }
    void resize(std::string_view rows_and_columns) { send(frame(HRUN_RESIZE, rows_and_columns)); }
    void pause() { send(frame(HRUN_PAUSE)); }
    void resume() { send(frame(HRUN_RESUME)); }
    // Has the guest stand still, so that its machine can be saved: the vsock device's slot.
    void suspend(uint32_t vsock_slot) { send(frame_of(HRUN_SUSPEND, vsock_slot)); }
    // Lets it go on over the same connection: it was not saved.
    void wake(const hrun_wake& wake, std::string_view identity = {});
    void shutdown() { send(frame(HRUN_SHUTDOWN)); }

  private:
    Result<void> connect(Fd socket);
    void send(std::string_view bytes);
    void flush();
    void receive();
    void close(const Error& error);
    Result<void> handle(const Frame& frame);
    Result<void> handle_started(const Frame& frame);
    Result<void> handle_error(const Frame& frame);
    Result<void> handle_awake(const Frame& frame);
    Result<void> handle_credit(const Frame& frame);

    EventLoop& loop_;
    AgentEvents& events_;
    Fd socket_;
    Watch watch_;
    FrameReader reader_;
    Outbox outbox_;
    bool greeted_ = false;
    size_t input_credit_ = HRUN_INITIAL_CREDIT;
    std::array<uint32_t, 3> owed_{}; // credit not yet returned, by stream
};

} // namespace hrun::monitor
