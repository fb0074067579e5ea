// SPDX-License-Identifier: Apache-2.0
// What a machine is to be: plain data, checked by build().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "boot/x86_64/image_file.h"
#include "devices/virtio/device.h"

namespace hrun::vmm {

struct Config {
    boot::ImageSource kernel;    // an ELF vmlinux or a bzImage
    boot::ImageSource initrd;    // or empty
    std::string command_line;    // the devices' virtio_mmio.device= parameters are appended
    std::string init_arguments;  // behind "--": for the guest's first process
    uint32_t vcpus = 1;          // 1 to boot::kMaxVcpus
    uint64_t memory = 128 << 20; // bytes, whole pages, at least 2 MiB
    bool pit = true;             // an i8254, for kernels that calibrate by it
    std::vector<uint32_t>
        spare_slots;           // virtio-mmio slots that may get a device later: the kernel is told of them
    uint32_t apic_tick_ns = 0; // of the local APICs' timers, undivided; 0: KVM's own nanosecond
};

// A device and the virtio-mmio slot it stands in; the machine owns it.
struct SlotDevice {
    uint32_t slot; // below boot::kVirtioMmioSlots
    std::unique_ptr<virtio::Device> device;
};

} // namespace hrun::vmm
