// SPDX-License-Identifier: Apache-2.0
// What a VM has beside its vCPUs and its memory, as plain data: interrupt controllers, PIT, clock.
#pragma once

#include <linux/kvm.h>

#include <array>
#include <optional>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/result.h"

namespace hrun::kvm {

struct VmState {
    std::array<kvm_irqchip, KVM_NR_IRQCHIPS> irqchips{}; // the two PICs, the IOAPIC
    std::optional<kvm_pit_state2> pit;
    uint64_t clock = 0; // kvmclock, in nanoseconds

    void put(ByteWriter& out) const;
    // EBADMSG when it is none.
    static Result<VmState> read(ByteReader& in);
};

} // namespace hrun::kvm
