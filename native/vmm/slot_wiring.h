// SPDX-License-Identifier: Apache-2.0
// What KVM does by itself for the device in a virtio-mmio slot: it signals notifications and interrupts, drops
// acknowledgements, and answers reads of the registers that a driver's interrupt handler looks at.
#pragma once

#include "kvm/vm.h"
#include "transport/mmio.h"

namespace hrun::vmm {

class SlotWiring {
  public:
    // For the device behind `transport`, in the slot. `acknowledged` is nobody's to read: it is there so that KVM drops
    // what is written there. All outlive the wiring.
    SlotWiring(kvm::Vm& vm, uint32_t slot, const virtio::Device& device, transport::MmioTransport& transport,
               const EventFd& acknowledged);

    // The guest reads the register page without leaving KVM; whoever has none gets the same from MmioTransport::read().
    // `memory_slot` is a free one. Before the interrupt controllers, where there is a choice: kvm/vm.h.
    Result<void> show_registers(uint32_t memory_slot);
    // Notifications and interrupts. After the interrupt controllers.
    Result<void> connect();
    // Takes back what has been done of both, as far as KVM lets go of it.
    void disconnect(uint32_t memory_slot);

  private:
    Result<void> connect_notifications();
    kvm::Vm::Write notify(uint16_t queue) const;
    kvm::Vm::Write acknowledge() const;

    kvm::Vm& vm_;
    uint32_t slot_;
    bool interrupts_often_;
    transport::MmioTransport& transport_;
    const EventFd& acknowledged_;
};

} // namespace hrun::vmm
