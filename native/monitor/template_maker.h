// SPDX-License-Identifier: Apache-2.0
// Makes a template (hrun-vmm --template): boots a machine without devices up to the agent's word that it is ready, and writes
// its memory and its state into the directory.
#pragma once

#include <memory>
#include <string>

#include "base/event_loop.h"
#include "monitor/container.h"
#include "monitor/template_machine.h"

namespace hrun::monitor {

class TemplateMaker {
  public:
    TemplateMaker(EventLoop& loop, Container container);

    // Begins. The loop stops when the template is whole and synced, or cannot be made; then the keeper is not told that
    // all is well, and the reason is on standard error. Nobody is listened to.
    void start(Fd client);
    void stop() { give_up("it was told to stop"); }

  private:
    Result<void> start_machine();
    void finish();
    void give_up(const std::string& why);

    EventLoop& loop_;
    Container container_;
    std::unique_ptr<TemplateMachine> machine_;
    Timer limit_; // of the boot
};

} // namespace hrun::monitor
