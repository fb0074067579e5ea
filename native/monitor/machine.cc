// SPDX-License-Identifier: Apache-2.0
#include "monitor/machine.h"

#include "monitor/joined_machine.h"
#include "monitor/kvm_machine.h"
#include "monitor/qemu_machine.h"

namespace hrun::monitor {

namespace {

const Error kNotSavable{ENOTSUP,
                        "only a container of the qemu engine, in a machine of its own, can be saved"};

} // namespace

Result<void> Machine::can_be_saved() const {
    return kNotSavable;
}

void Machine::save(Fd, Done done) {
    done(kNotSavable);
}

void Machine::go_on(Done done) {
    done(kNotSavable);
}

std::unique_ptr<Machine> create_machine(EventLoop& loop, Container& container, MachineEvents& events) {
    if (container.host.valid())
        return std::make_unique<JoinedMachine>(loop, container, events);
    if (container.config.engine == Engine::kKvm)
        return std::make_unique<KvmMachine>(loop, container, events);
    return std::make_unique<QemuMachine>(loop, container, events);
}

} // namespace hrun::monitor
