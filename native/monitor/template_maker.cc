// SPDX-License-Identifier: Apache-2.0
#include "monitor/template_maker.h"

#include <cstdio>

#include "monitor/kvm_template.h"
#include "monitor/qemu_template.h"

namespace hrun::monitor {

std::unique_ptr<TemplateMachine> create_template_machine(EventLoop& loop, Container& container,
                                                         TemplateMachine::Events events) {
    if (container.config.engine == Engine::kKvm)
        return std::make_unique<KvmTemplate>(loop, container, std::move(events));
    return std::make_unique<QemuTemplate>(loop, container, std::move(events));
}

TemplateMaker::TemplateMaker(EventLoop& loop, Container container)
    : loop_(loop), container_(std::move(container)),
      machine_(create_template_machine(
          loop, container_, {[this] { finish(); }, [this](const std::string& why) { give_up(why); }})) {}

void TemplateMaker::start(Fd) {
    if (auto started = start_machine(); !started)
        give_up(started.error().message());
}

Result<void> TemplateMaker::start_machine() {
    limit_ = loop_.after(std::chrono::milliseconds(container_.config.boot_timeout_ms),
                         [this] { give_up("the machine did not boot in time; see console.log"); });
    HRUN_TRY(machine_->start());
    HRUN_TRY(container_.jail->lock(machine_->thread()));
    return machine_->run();
}

// A template that has a name is whole, whatever becomes of the host.
void TemplateMaker::finish() {
    container_.lock.reset();
    container_.keeper->ask(KeeperRequest::kFinished);
    loop_.stop();
}

void TemplateMaker::give_up(const std::string& why) {
    dprintf(STDERR_FILENO, "hrun-vmm: no template was made: %s\n", why.c_str());
    loop_.stop();
}

} // namespace hrun::monitor
