// SPDX-License-Identifier: Apache-2.0
#include "kvm/vm.h"

#include <doctest/doctest.h>

#include "base/event_fd.h"
#include "kvm/real_mode_guest.h"

namespace hrun::kvm {
namespace {

using test::code;
using test::RealModeGuest;

TEST_CASE("a write that an eventfd stands for signals it and does not leave the kernel" *
          doctest::skip(!test::usable())) {
    // mov $0x2000, %ax; mov %ax, %ds; movl $7, 0; movl $8, 0; hlt
    RealModeGuest guest(code(
        "\xb8\x00\x20\x8e\xd8\x66\xc7\x06\x00\x00\x07\x00\x00\x00\x66\xc7\x06\x00\x00\x08\x00\x00\x00\xf4"));
    auto event = EventFd::create();
    REQUIRE(event);
    REQUIRE(guest.vm.add_ioeventfd({0x20000, 7}, event->get()));
    REQUIRE(guest.run() == KVM_EXIT_MMIO); // the other value has no eventfd
    CHECK(guest.vcpu->state().mmio.data[0] == 8);
    CHECK(event->drain());
    CHECK(guest.run() == KVM_EXIT_HLT);
    CHECK_FALSE(guest.vm.add_ioeventfd({0x20000, 7}, event->get())); // taken
}

TEST_CASE("the dirty log holds the pages that were written, once" * doctest::skip(!test::usable())) {
    RealModeGuest guest(
        code("\xc6\x06\x00\x30\x01\xc6\x06\x00\x50\x01\xf4"), // movb $1, 0x3000; movb $1, 0x5000; hlt
        Vm::Slot::kLogDirty);
    CHECK(guest.run() == KVM_EXIT_HLT);
    auto dirty = guest.vm.take_dirty_log(0, RealModeGuest::kMemory);
    REQUIRE(dirty);
    REQUIRE(dirty->size() == 1);
    CHECK(((*dirty)[0] & ~1ull) == (1 << 3 | 1 << 5));
    CHECK(*guest.vm.take_dirty_log(0, RealModeGuest::kMemory) == std::vector<uint64_t>{0});
    CHECK_FALSE(guest.vm.take_dirty_log(1, RealModeGuest::kMemory)); // no such slot
}

TEST_CASE("memory slots that cannot be are refused" * doctest::skip(!test::usable())) {
    RealModeGuest guest(code("\xf4"));
    std::byte* host = guest.memory.data();
    CHECK_FALSE(guest.vm.set_memory_slot(1, 0x8000, host, 4096, Vm::Slot::kPlain)); // over another
    CHECK_FALSE(guest.vm.set_memory_slot(1, 0x100001, host, 4096, Vm::Slot::kPlain));
    CHECK_FALSE(guest.vm.set_memory_slot(1, 0x100000, host + 1, 4096, Vm::Slot::kPlain));
    CHECK_FALSE(guest.vm.set_memory_slot(1 << 20, 0x100000, host, 4096, Vm::Slot::kPlain));
    CHECK(guest.vm.set_memory_slot(1, 0x100000, host, 4096, Vm::Slot::kPlain));
}

TEST_CASE("interrupt lines need interrupt controllers, of which there is one set" *
          doctest::skip(!test::usable())) {
    auto system = System::open();
    REQUIRE(system);
    auto vm = system->create_vm();
    REQUIRE(vm);
    auto event = EventFd::create();
    CHECK_FALSE(vm->add_irqfd(5, event->get()));
    REQUIRE(vm->create_irqchip());
    CHECK(vm->add_irqfd(5, event->get()));
    CHECK(vm->create_irqchip().error().code == EEXIST);
    CHECK(vm->create_pit());
}

TEST_CASE("the guest's clock goes on from where it is set" * doctest::skip(!test::usable())) {
    RealModeGuest guest(code("\xf4"));
    auto clock = guest.vm.clock();
    REQUIRE(clock);
    clock->clock += 1'000'000'000'000;
    clock->flags = 0;
    REQUIRE(guest.vm.set_clock(*clock));
    CHECK(guest.vm.clock()->clock >= clock->clock);
}

TEST_CASE("a host's KVM has what every Linux host has, and answers for what there is not with 0" *
          doctest::skip(!test::usable())) {
    auto system = System::open();
    REQUIRE(system);
    CHECK(system->extension(KVM_CAP_USER_MEMORY) > 0);
    CHECK(system->extension(0x7fffff) == 0);
    auto cpuid = system->supported_cpuid();
    REQUIRE(cpuid);
    CHECK(cpuid->size() > 1);
}

} // namespace
} // namespace hrun::kvm
