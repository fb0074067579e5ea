// SPDX-License-Identifier: Apache-2.0
#include "monitor/kvm_template.h"

#include <numeric>

#include "boot/x86_64/layout.h"
#include "monitor/template_files.h"
#include "template.h"

namespace hrun::monitor {

static_assert(TEMPLATE_SLOTS == boot::kVirtioMmioSlots, "the agent and the machine count slots alike");

Result<void> KvmTemplate::start() {
    HRUN_TRY(container_.jail->enter());
    auto serial = SerialConsole::open(
        loop_, {[this] { events_.failed("the guest's kernel panicked: " + serial_->console().panic()); },
                [this] { look_for_word(); }});
    if (!serial)
        return serial.error();
    serial_ = std::move(*serial);
    if (auto built = build(); !built)
        return with_kvm_advice(built.error());
    auto ended = loop_.watch(machine_->ended().get(), EPOLLIN, [this](uint32_t) { collect(); });
    if (!ended)
        return ended.error();
    ended_ = std::move(*ended);
    return machine_->start_threads();
}

Result<void> KvmTemplate::build() {
    auto host = KvmHost::open(container_.files);
    if (!host)
        return host.error();
    host_ = std::move(*host);
    std::vector<uint32_t> slots(boot::kVirtioMmioSlots);
    std::iota(slots.begin(), slots.end(), 0);
    auto config = kvm_boot_config(container_, std::move(slots),
                                  "--template " + std::to_string(container_.config.vsock_slot));
    if (!config)
        return config.error();
    vmm::Builder builder(host_->system, host_->cpuid, loop_);
    builder.on_console([serial = serial_.get()](char byte) { serial->put(byte); });
    builder.on_vcpu_entered(container_.jail->thread_lock(jail::ThreadKind::kVcpu));
    auto machine = builder.build(*config, {});
    if (!machine)
        return machine.error();
    machine_ = std::move(*machine);
    return {};
}

// Not from within the console's own reading: what follows ends the machine whose console it is.
void KvmTemplate::look_for_word() {
    if (ready_ || serial_->console().last_line() != TEMPLATE_READY)
        return;
    ready_ = true;
    saving_ = loop_.after({}, [this] {
        if (auto saved = save(); !saved)
            return events_.failed(saved.error().message());
        events_.saved();
    });
}

Result<void> KvmTemplate::save() {
    HRUN_TRY(machine_->pause());
    HRUN_TRY(machine_->save(host_->system, {kContainerDirectory, TemplateFiles::kState}));
    ended_.reset();
    machine_.reset();
    return {};
}

void KvmTemplate::collect() {
    ended_.reset();
    const vmm::End end = machine_->how_it_ended();
    events_.failed(end.message.substr(0, end.message.find('\n')));
}

} // namespace hrun::monitor
