// SPDX-License-Identifier: Apache-2.0
// What a machine is made of, without any state: what a snapshot is bound to.
#pragma once

#include <cstdint>
#include <vector>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/result.h"
#include "devices/virtio/device.h"
#include "vmm/config.h"
#include "vmm/cpuid_template.h"

namespace hrun::vmm {

struct MachineShape {
    static constexpr uint32_t kEmptySlot = 0; // a device id that no device has
    struct SlotType {
        uint32_t slot;
        uint32_t device_id;
    };
    uint32_t vcpus = 0;
    uint64_t memory = 0; // bytes
    bool pit = false;
    uint32_t apic_tick_ns = 0;
    uint32_t tsc_khz = 0;
    std::vector<SlotType> devices;
    CpuidTable cpuid; // of the first vCPU

    void put(ByteWriter& out) const;
    // EBADMSG when it is none.
    static Result<MachineShape> read(ByteReader& in);
};

} // namespace hrun::vmm
