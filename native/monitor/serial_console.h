// SPDX-License-Identifier: Apache-2.0
// The serial console of a machine in this process: from its vCPU threads into console.log.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/event_loop.h"
#include "monitor/console.h"
#include "vmm/console_buffer.h"

namespace hrun::monitor {

class SerialConsole {
  public:
    struct Events {
        std::function<void()> panicked; // the guest's kernel: see console()
        std::function<void()> said;     // there is more; may be empty
    };

    // console.log is made in the container's directory. Loop and console outlive the machine.
    static Result<std::unique_ptr<SerialConsole>> open(EventLoop& loop, Events events);

    // From vCPU threads.
    void put(char byte) { buffer_->put(byte); }
    // Takes what has come; the loop does so by itself.
    void read();
    const Console& console() const { return *console_; }

  private:
    explicit SerialConsole(Events events) : events_(std::move(events)) {}

    Events events_;
    std::unique_ptr<Console> console_;
    std::optional<vmm::ConsoleBuffer> buffer_;
    Watch watch_;
};

} // namespace hrun::monitor
