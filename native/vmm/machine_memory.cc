// SPDX-License-Identifier: Apache-2.0
#include "vmm/machine_memory.h"

#include "boot/x86_64/layout.h"
#include "memory/memory_file.h"

namespace hrun::vmm {

namespace {

using boot::kPageSize;

void append_dirty(std::vector<boot::Range>& out, uint64_t address) {
    if (!out.empty() && out.back().address + out.back().size == address)
        out.back().size += kPageSize;
    else
        out.push_back({address, kPageSize});
}

// `map` maps a part of the file that holds the ranges one after the other.
template <class Map> Result<void> fill_slots(kvm::Vm& vm, MachineMemory& memory, const Map& map) {
    uint64_t offset = 0;
    for (uint32_t slot = 0; slot < memory.ranges.size(); ++slot) {
        const boot::Range& range = memory.ranges[slot];
        Result<Mapping> mapping = map(offset, range.size);
        if (!mapping)
            return mapping.error();
        std::byte* host = mapping->data();
        HRUN_TRY(memory.guest.add(std::move(*mapping), range.address));
        HRUN_TRY(vm.set_memory_slot(slot, range.address, host, range.size, kvm::Vm::Slot::kPlain));
        offset += range.size;
    }
    return {};
}

} // namespace

uint64_t MachineMemory::size() const {
    uint64_t sum = 0;
    for (const boot::Range& range : ranges)
        sum += range.size;
    return sum;
}

Result<MachineMemory> create_machine_memory(kvm::Vm& vm, uint64_t size) {
    Result<Fd> file = create_memory_file("hrun-guest", size);
    if (!file)
        return file.error();
    MachineMemory memory{std::move(*file), boot::ram_ranges(size), GuestMemory()};
    const auto map = [&](uint64_t offset, uint64_t bytes) {
        return Mapping::share(memory.file.get(), offset, bytes);
    };
    HRUN_TRY(fill_slots(vm, memory, map));
    return memory;
}

Result<MachineMemory> restore_machine_memory(kvm::Vm& vm, const SnapshotFile& snapshot) {
    MachineMemory memory{Fd(), boot::ram_ranges(snapshot.memory_bytes()), GuestMemory(Backing::kCopyOnWrite)};
    const auto map = [&](uint64_t offset, uint64_t bytes) { return snapshot.map_memory(offset, bytes); };
    HRUN_TRY(fill_slots(vm, memory, map));
    return memory;
}

Result<void> set_dirty_logging(kvm::Vm& vm, const MachineMemory& memory, bool on) {
    const auto flags = on ? kvm::Vm::Slot::kLogDirty : kvm::Vm::Slot::kPlain;
    for (uint32_t slot = 0; slot < memory.ranges.size(); ++slot) {
        const boot::Range& range = memory.ranges[slot];
        std::byte* host = memory.guest.contiguous(range.address, range.size);
        HRUN_TRY(vm.set_memory_slot(slot, range.address, host, range.size, flags));
    }
    return {};
}

Result<std::vector<boot::Range>> take_dirty_ranges(const kvm::Vm& vm, const MachineMemory& memory) {
    std::vector<boot::Range> dirty;
    for (uint32_t slot = 0; slot < memory.ranges.size(); ++slot) {
        Result<std::vector<uint64_t>> bitmap = vm.take_dirty_log(slot, memory.ranges[slot].size);
        if (!bitmap)
            return bitmap.error();
        for (size_t word = 0; word < bitmap->size(); ++word)
            for (uint64_t left = (*bitmap)[word]; left != 0; left &= left - 1) {
                const uint64_t page = word * 64 + static_cast<uint64_t>(__builtin_ctzll(left));
                append_dirty(dirty, memory.ranges[slot].address + page * kPageSize);
            }
    }
    return dirty;
}

} // namespace hrun::vmm
