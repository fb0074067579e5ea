// SPDX-License-Identifier: Apache-2.0
// A client that asks by TCP: one question after the other.
#pragma once

#include <functional>
#include <string>

#include "base/event_loop.h"

namespace hrun::names {

class StreamClient {
  public:
    using Ask = std::function<void(std::string query)>;
    using Gone = std::function<void()>;

    // `ask` gets each question, and answers it by reply(), at once or later. `gone` is called once, and may destroy the
    // client: it has hung up, or was silent for too long.
    StreamClient(EventLoop& loop, Fd socket, uint32_t address, Ask ask, Gone gone);

    uint32_t address() const { return address_; }

    void reply(const std::string& response);

  private:
    void receive();
    void take_question();
    void leave();

    EventLoop& loop_;
    Fd socket_;
    uint32_t address_;
    Ask ask_;
    Gone gone_;
    std::string received_;
    bool asking_ = false;
    Watch watch_;
    Timer limit_;
};

} // namespace hrun::names
