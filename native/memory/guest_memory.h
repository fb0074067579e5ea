// SPDX-License-Identifier: Apache-2.0
// The guest's physical memory as this process sees it: mapped regions, and the only way from a guest-physical
// address to bytes. Every address and size that reaches this class may have been chosen by the guest.
//
// The guest can change any byte at any time. A value that is checked must therefore be copied out once with
// `read` and used from the copy.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory/discard.h"
#include "memory/mapping.h"

namespace hrun {

class GuestMemory {
  public:
    // `backing`: what the mappings are, all of them.
    explicit GuestMemory(Backing backing = Backing::kShared) : backing_(backing) {}
    Backing backing() const { return backing_; }

    // Adds `mapping` at guest-physical `address` (a multiple of the page size). EEXIST when it overlaps
    // another region, EINVAL when it is unaligned or passes the end of the address space.
    Result<void> add(Mapping mapping, uint64_t address);

    // The host's address of [address, address + size), or null unless all of it lies in one region.
    std::byte* contiguous(uint64_t address, uint64_t size) const;

    // Copies bytes out of or into guest memory; the range may span adjacent regions. False, with an unspecified
    // part already copied, when a byte of it is not memory.
    bool read(uint64_t address, void* to, uint64_t size) const;
    bool write(uint64_t address, const void* from, uint64_t size) const;

    // Appends the host's view of [address, address + size) to `out`, one entry per region touched. False, with
    // `out` as it was, when a byte of it is not memory.
    bool segments(uint64_t address, uint64_t size, std::vector<iovec>& out) const;

    size_t region_count() const { return regions_.size(); }

  private:
    struct Region {
        uint64_t address;
        Mapping mapping;

        uint64_t size() const { return mapping.size(); }
        bool contains(uint64_t at) const { return at >= address && at - address < size(); }
    };

    const Region* find(uint64_t address) const;
    iovec piece(uint64_t address, uint64_t size) const;

    Backing backing_;
    std::vector<Region> regions_; // sorted by address, disjoint
};

} // namespace hrun
