// SPDX-License-Identifier: Apache-2.0
#include "kvm/vm_state.h"

#include <sys/ioctl.h>

#include "kvm/vm.h"

namespace hrun::kvm {

void VmState::put(ByteWriter& out) const {
    for (const kvm_irqchip& chip : irqchips)
        out.put_struct(chip);
    out.put<uint8_t>(pit.has_value());
    if (pit)
        out.put_struct(*pit);
    out.put<uint64_t>(clock);
}

Result<VmState> VmState::read(ByteReader& in) {
    VmState state;
    for (kvm_irqchip& chip : state.irqchips)
        chip = in.take_struct<kvm_irqchip>();
    if (in.take<uint8_t>() != 0)
        state.pit = in.take_struct<kvm_pit_state2>();
    state.clock = in.take<uint64_t>();
    if (!in.finished())
        return Error{EBADMSG, "restore interrupt controllers whose state has another length"};
    for (uint32_t id = 0; id < state.irqchips.size(); ++id)
        if (state.irqchips[id].chip_id != id)
            return Error{EBADMSG, "restore interrupt controllers in another order"};
    return state;
}

// The clock is the caller's: it stands still from the machine's pause on.
Result<VmState> Vm::save(bool pit) const {
    VmState state;
    for (uint32_t id = 0; id < state.irqchips.size(); ++id) {
        state.irqchips[id].chip_id = id;
        if (ioctl(fd_.get(), KVM_GET_IRQCHIP, &state.irqchips[id]) < 0)
            return Error::last("KVM_GET_IRQCHIP");
    }
    if (pit && ioctl(fd_.get(), KVM_GET_PIT2, &state.pit.emplace()) < 0)
        return Error::last("KVM_GET_PIT2");
    return state;
}

Result<void> Vm::restore(const VmState& state) {
    for (const kvm_irqchip& chip : state.irqchips)
        if (ioctl(fd_.get(), KVM_SET_IRQCHIP, &chip) < 0)
            return Error::last("KVM_SET_IRQCHIP");
    if (state.pit && ioctl(fd_.get(), KVM_SET_PIT2, &*state.pit) < 0)
        return Error::last("KVM_SET_PIT2");
    return {};
}

} // namespace hrun::kvm
