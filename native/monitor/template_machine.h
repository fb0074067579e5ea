// SPDX-License-Identifier: Apache-2.0
// A machine without devices that becomes a template, whichever engine runs it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/event_loop.h"
#include "base/result.h"
#include "monitor/container.h"

namespace hrun::monitor {

class TemplateMachine {
  public:
    struct Events {
        std::function<void()> saved; // its files are in the directory, whole and synced, and it is gone
        std::function<void(std::string why)> failed;
    };

    virtual ~TemplateMachine() = default;

    // Makes it, and enters the jail on the way.
    virtual Result<void> start() = 0;
    // What the event loop's thread may do from then on.
    virtual jail::ThreadKind thread() const = 0;
    // Lets it boot up to the agent's word that it is ready; then it is saved.
    virtual Result<void> run() = 0;
};

// Of the configuration's engine. Loop and container outlive it.
std::unique_ptr<TemplateMachine> create_template_machine(EventLoop& loop, Container& container,
                                                         TemplateMachine::Events events);

} // namespace hrun::monitor
