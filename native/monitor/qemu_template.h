// SPDX-License-Identifier: Apache-2.0
// The qemu engine's: memory is a file that QEMU maps, state what it says over QMP.
#pragma once

#include "base/fd.h"
#include "monitor/qemu_process.h"
#include "monitor/template_machine.h"

namespace hrun::monitor {

class QemuTemplate : public TemplateMachine {
  public:
    QemuTemplate(EventLoop& loop, Container& container, Events events);

    Result<void> start() override;
    jail::ThreadKind thread() const override { return jail::ThreadKind::kEventLoop; }
    Result<void> run() override { return {}; } // since start(): nothing of it is the container's yet

  private:
    Result<qemu::Config> prepare(HandedOver& fds);
    void look_for_word();
    void handle_event(const qemu::Event& event);
    void finish();

    Container& container_;
    Events events_;
    QemuProcess process_;
    Fd memory_;
    Fd state_;
    bool ready_ = false;
    bool saved_ = false;
};

} // namespace hrun::monitor
