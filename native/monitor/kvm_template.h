// SPDX-License-Identifier: Apache-2.0
// The kvm engine's: one file, a snapshot (docs/snapshot-format.md).
#pragma once

#include <optional>

#include "monitor/kvm_host.h"
#include "monitor/serial_console.h"
#include "monitor/template_machine.h"
#include "vmm/builder.h"

namespace hrun::monitor {

class KvmTemplate : public TemplateMachine {
  public:
    KvmTemplate(EventLoop& loop, Container& container, Events events)
        : loop_(loop), container_(container), events_(std::move(events)) {}

    Result<void> start() override;
    jail::ThreadKind thread() const override { return jail::ThreadKind::kTemplateMaker; }
    Result<void> run() override { return machine_->start(); }

  private:
    Result<void> build();
    void look_for_word();
    Result<void> save();
    void collect();

    EventLoop& loop_;
    Container& container_;
    Events events_;
    std::unique_ptr<SerialConsole> serial_;
    std::optional<KvmHost> host_; // for the machine's state is asked of it too
    std::unique_ptr<vmm::Machine> machine_;
    Watch ended_;
    bool ready_ = false;
    Timer saving_;
};

} // namespace hrun::monitor
