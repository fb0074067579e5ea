// SPDX-License-Identifier: Apache-2.0
// A VM with 64 KiB of memory and one vCPU in real mode, for a few bytes of code at address 0.
#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "kvm/system.h"
#include "memory/mapping.h"
#include "memory/memory_file.h"

namespace hrun::kvm::test {

// True where /dev/kvm can be used; else says once why these tests are skipped.
inline bool usable() {
    static const bool opened = [] {
        const Result<System> system = System::open();
        if (!system)
            fprintf(stderr, "skipped: %s\n", system.error().message().c_str());
        return static_cast<bool>(system);
    }();
    return opened;
}

class RealModeGuest {
  public:
    static constexpr uint64_t kMemory = 64 * 1024;

    explicit RealModeGuest(const std::string& code, Vm::Slot slot = Vm::Slot::kPlain) {
        auto file = create_memory_file("test", kMemory);
        REQUIRE(file);
        auto mapped = Mapping::share(file->get(), 0, kMemory);
        REQUIRE(mapped);
        memory = std::move(*mapped);
        memcpy(memory.data(), code.data(), code.size());
        REQUIRE(vm.set_memory_slot(0, 0, memory.data(), kMemory, slot));
        auto made = vm.create_vcpu(0);
        REQUIRE(made);
        vcpu.emplace(std::move(*made));
        auto special = vcpu->special_registers();
        REQUIRE(special);
        special->cs.base = special->cs.selector = 0;
        REQUIRE(vcpu->set_special_registers(*special));
        REQUIRE(vcpu->set_registers({.rip = 0, .rflags = 2}));
    }

    // Runs to the next exit and returns its reason.
    uint32_t run() {
        const Result<void> ran = vcpu->run();
        REQUIRE_MESSAGE(ran, ran.error().message());
        return vcpu->state().exit_reason;
    }

    Mapping memory;
    Vm vm = create();
    std::optional<Vcpu> vcpu;

  private:
    static Vm create() {
        Result<System> system = System::open();
        REQUIRE(system);
        Result<Vm> vm = system->create_vm();
        REQUIRE(vm);
        return std::move(*vm);
    }
};

// Code with zero bytes in it.
template <size_t Size> std::string code(const char (&bytes)[Size]) {
    return std::string(bytes, Size - 1);
}

} // namespace hrun::kvm::test
