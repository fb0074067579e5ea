// SPDX-License-Identifier: Apache-2.0
#include "kvm/vcpu.h"

#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>

#include "kvm/array_buffer.h"
#include "kvm/real_mode_guest.h"

namespace hrun::kvm {
namespace {

using test::code;
using test::RealModeGuest;

TEST_CASE("a port write reaches this process with port and value" * doctest::skip(!test::usable())) {
    RealModeGuest guest(code("\xb0\x2a\xe6\x10\xf4")); // mov $42, %al; out %al, $0x10; hlt
    REQUIRE(guest.run() == KVM_EXIT_IO);
    CHECK(guest.vcpu->state().io.port == 0x10);
    CHECK(guest.vcpu->state().io.direction == KVM_EXIT_IO_OUT);
    REQUIRE(guest.vcpu->port_data().size() == 1);
    CHECK(guest.vcpu->port_data()[0] == std::byte{42});
    CHECK(guest.run() == KVM_EXIT_HLT);
}

TEST_CASE("a port read gets what this process answers" * doctest::skip(!test::usable())) {
    RealModeGuest guest(code("\xe5\x20\xa3\x00\x05\xf4")); // in $0x20, %ax; mov %ax, 0x500; hlt
    REQUIRE(guest.run() == KVM_EXIT_IO);
    REQUIRE(guest.vcpu->port_data().size() == 2);
    guest.vcpu->port_data()[0] = std::byte{0x34};
    guest.vcpu->port_data()[1] = std::byte{0x12};
    CHECK(guest.run() == KVM_EXIT_HLT);
    CHECK(guest.memory.data()[0x500] == std::byte{0x34});
    CHECK(guest.memory.data()[0x501] == std::byte{0x12});
}

TEST_CASE("an access can be completed without running on, so that registers are whole" *
          doctest::skip(!test::usable())) {
    RealModeGuest guest(code("\xe4\x20\xf4")); // in $0x20, %al; hlt
    REQUIRE(guest.run() == KVM_EXIT_IO);
    guest.vcpu->port_data()[0] = std::byte{0x77};
    CHECK(guest.vcpu->complete_access().error().code == EINTR);
    auto registers = guest.vcpu->registers();
    REQUIRE(registers);
    CHECK((registers->rax & 0xff) == 0x77);
    CHECK(registers->rip == 2);
}

TEST_CASE("an access where no memory is comes as MMIO" * doctest::skip(!test::usable())) {
    // mov $0x2000, %ax; mov %ax, %ds; movb $9, 0x10; mov 0x11, %al; hlt
    RealModeGuest guest(code("\xb8\x00\x20\x8e\xd8\xc6\x06\x10\x00\x09\xa0\x11\x00\xf4"));
    REQUIRE(guest.run() == KVM_EXIT_MMIO);
    CHECK(guest.vcpu->state().mmio.phys_addr == 0x20010);
    CHECK(guest.vcpu->state().mmio.is_write == 1);
    CHECK(guest.vcpu->state().mmio.data[0] == 9);
    REQUIRE(guest.run() == KVM_EXIT_MMIO);
    CHECK(guest.vcpu->state().mmio.is_write == 0);
    guest.vcpu->state().mmio.data[0] = 0x55;
    CHECK(guest.run() == KVM_EXIT_HLT);
    CHECK((guest.vcpu->registers()->rax & 0xff) == 0x55);
}

TEST_CASE("a signal that is blocked gets a running guest out, and calls no handler" *
          doctest::skip(!test::usable())) {
    RealModeGuest guest(code("\xeb\xfe")); // 1: jmp 1b
    const int signal = SIGRTMIN + 1;
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, signal);
    REQUIRE(pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0);
    REQUIRE(guest.vcpu->interrupt_on(signal));
    REQUIRE(pthread_kill(pthread_self(), signal) == 0);
    CHECK(guest.vcpu->run().error().code == EINTR);
    int taken = 0;
    CHECK(sigwait(&blocked, &taken) == 0); // it is still pending
    CHECK(taken == signal);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("registers, floating-point state and MSRs are read back as they were set" *
          doctest::skip(!test::usable())) {
    constexpr uint32_t kEfer = 0xc0000080, kStar = 0xc0000081;
    RealModeGuest guest(code("\xf4"));
    REQUIRE(guest.vcpu->set_registers({.rbx = 0x123456789abcdef0, .rip = 7, .rflags = 2}));
    CHECK(guest.vcpu->registers()->rbx == 0x123456789abcdef0);
    CHECK(guest.vcpu->registers()->rip == 7);
    auto fpu = guest.vcpu->fpu();
    REQUIRE(fpu);
    fpu->fcw = 0x37f;
    REQUIRE(guest.vcpu->set_fpu(*fpu));
    CHECK(guest.vcpu->fpu()->fcw == 0x37f);
    const kvm_msr_entry star{.index = kStar, .data = 0x0023001000000000};
    REQUIRE(guest.vcpu->set_msrs({&star, 1}));
    const uint32_t indices[] = {kEfer, kStar};
    auto values = guest.vcpu->msrs(indices);
    REQUIRE(values);
    CHECK((*values)[1].data == star.data);
}

TEST_CASE("an MSR that KVM does not have is an error" * doctest::skip(!test::usable())) {
    RealModeGuest guest(code("\xf4"));
    const uint32_t none[] = {0x12345678};
    CHECK_FALSE(guest.vcpu->msrs(none));
    const kvm_msr_entry entry{.index = none[0], .data = 1};
    CHECK_FALSE(guest.vcpu->set_msrs({&entry, 1}));
}

TEST_CASE("an array's header counts its entries") {
    ArrayBuffer<kvm_msr_entry> buffer(3);
    CHECK(buffer.count() == 3);
    CHECK(reinterpret_cast<std::byte*>(buffer.entries()) - static_cast<std::byte*>(buffer.data()) == 8);
    buffer.entries()[2].data = UINT64_MAX; // inside: the sanitizer lane looks
}

} // namespace
} // namespace hrun::kvm
