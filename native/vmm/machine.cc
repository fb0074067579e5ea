// SPDX-License-Identifier: Apache-2.0
#include "vmm/machine.h"

namespace hrun::vmm {

// vCPU threads may be waiting for this thread: let them go first, then join them; only then may devices go.
Machine::~Machine() {
    if (control_)
        stop();
    if (device_thread_)
        device_thread_->close();
    vcpus_.clear();
}

Result<void> Machine::start_threads() {
    if (std::exchange(threads_started_, true))
        return {};
    for (const auto& vcpu : vcpus_)
        HRUN_TRY(vcpu->start());
    return {};
}

Result<void> Machine::start() {
    HRUN_TRY(start_threads());
    started_ = true;
    if (paused_)
        return resume();
    control_->command(RunControl::Command::kRun);
    return {};
}

Result<void> Machine::pause() {
    if (!guest_runs())
        return {};
    park_vcpus();
    paused_ = true;
    Result<kvm_clock_data> clock = vm_.clock();
    if (!clock)
        return clock.error();
    clock_ = *clock;
    for (const auto& vcpu : vcpus_)
        vcpu->vcpu().notify_paused();
    return {};
}

Result<void> Machine::resume() {
    if (!paused_ || !started_)
        return {};
    paused_ = false;
    Result<void> set = vm_.set_clock(clock_);
    control_->command(RunControl::Command::kRun);
    return set;
}

void Machine::park_vcpus() {
    control_->command(RunControl::Command::kPause);
    for (const auto& vcpu : vcpus_)
        vcpu->kick();
    device_thread_->serve_until([this] { return control_->parked() == vcpus_.size(); });
}

// For what no vCPU may see half done. The guest's clock goes on.
Result<void> Machine::with_vcpus_parked(const std::function<Result<void>()>& change) {
    const bool parks = guest_runs();
    if (parks)
        park_vcpus();
    Result<void> changed = change();
    if (parks)
        control_->command(RunControl::Command::kRun);
    return changed;
}

Result<void> Machine::plug(SlotDevice device) {
    return with_vcpus_parked([&] { return slots_->plug(std::move(device)); });
}

Result<void> Machine::unplug(uint32_t slot) {
    return with_vcpus_parked([&] {
        slots_->unplug(slot);
        return Result<void>();
    });
}

void Machine::stop() {
    control_->end({End::Reason::kStopped, "stopped"});
    for (const auto& vcpu : vcpus_)
        vcpu->kick();
}

uint64_t Machine::exits() const {
    uint64_t sum = 0;
    for (const auto& vcpu : vcpus_)
        sum += vcpu->exits();
    return sum;
}

} // namespace hrun::vmm
