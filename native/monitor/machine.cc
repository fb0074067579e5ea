// SPDX-License-Identifier: Apache-2.0
#include "monitor/machine.h"

#include "monitor/kvm_machine.h"
#include "monitor/qemu_machine.h"

namespace hrun::monitor {

std::unique_ptr<Machine> create_machine(EventLoop& loop, int directory, const Config& config,
                                        MachineEvents& events) {
    if (config.engine == Engine::kKvm)
        return std::make_unique<KvmMachine>(loop, directory, config, events);
    return std::make_unique<QemuMachine>(loop, directory, config, events);
}

} // namespace hrun::monitor
