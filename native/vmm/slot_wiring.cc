// SPDX-License-Identifier: Apache-2.0
#include "vmm/slot_wiring.h"

#include "boot/x86_64/layout.h"

namespace hrun::vmm {

namespace {

static_assert(boot::kVirtioMmioReadable == transport::RegisterPage::kStart);

// The others' interrupts are too rare to be worth the time that a memory slot and an ioeventfd take at creation.
bool interrupts_often(const virtio::Device& device) {
    return device.device_id() != virtio::kEntropy && device.device_id() != virtio::kBalloon;
}

} // namespace

SlotWiring::SlotWiring(kvm::Vm& vm, uint32_t slot, const virtio::Device& device,
                       transport::MmioTransport& transport, const EventFd& acknowledged)
    : vm_(vm), slot_(slot), interrupts_often_(interrupts_often(device)), transport_(transport),
      acknowledged_(acknowledged) {}

Result<void> SlotWiring::show_registers(uint32_t memory_slot) {
    if (!interrupts_often_)
        return {};
    return vm_.set_memory_slot(memory_slot, boot::virtio_address(slot_) + transport::RegisterPage::kStart,
                               transport_.page().data(), transport::RegisterPage::kSize,
                               kvm::Vm::Slot::kReadOnly);
}

Result<void> SlotWiring::connect() {
    HRUN_TRY(connect_notifications());
    if (interrupts_often_)
        HRUN_TRY(vm_.add_ioeventfd(acknowledge(), acknowledged_.get()));
    return vm_.add_irqfd(boot::virtio_line(slot_), transport_.interrupt().get());
}

Result<void> SlotWiring::connect_notifications() {
    for (uint16_t queue = 0; queue < transport_.queue_count(); ++queue)
        HRUN_TRY(vm_.add_ioeventfd(notify(queue), transport_.notification(queue).get()));
    return {};
}

void SlotWiring::disconnect(uint32_t memory_slot) {
    (void)vm_.remove_irqfd(boot::virtio_line(slot_), transport_.interrupt().get());
    for (uint16_t queue = 0; queue < transport_.queue_count(); ++queue)
        (void)vm_.remove_ioeventfd(notify(queue), transport_.notification(queue).get());
    if (!interrupts_often_)
        return;
    (void)vm_.remove_ioeventfd(acknowledge(), acknowledged_.get());
    (void)vm_.remove_memory_slot(memory_slot);
}

// Of a device with one queue the value says nothing.
kvm::Vm::Write SlotWiring::notify(uint16_t queue) const {
    const uint64_t address = boot::virtio_address(slot_) + transport::kQueueNotifyOffset;
    return transport_.queue_count() == 1 ? kvm::Vm::Write{address} : kvm::Vm::Write{address, queue};
}

kvm::Vm::Write SlotWiring::acknowledge() const {
    return {boot::virtio_address(slot_) + transport::kInterruptAckOffset, transport::kUsedBufferAck};
}

} // namespace hrun::vmm
