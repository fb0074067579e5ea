// SPDX-License-Identifier: Apache-2.0
// Guest memory as a vhost-user front end shares it, and the front end's own addresses for it.
#pragma once

#include <optional>
#include <vector>

#include "memory/guest_memory.h"
#include "transport/vhost_user_message.h"

namespace hrun::vhost_user {

class SharedMemory {
  public:
    // Maps the table of a SET_MEM_TABLE message. Nothing of the peer's is trusted: each descriptor must be sealed
    // against shrinking, whole pages, inside its file and disjoint from the others.
    static Result<SharedMemory> map(const Message& message);

    const GuestMemory& guest() const { return guest_; }
    // The guest-physical address of a front end's address, if it lies in a region.
    std::optional<uint64_t> guest_address(uint64_t user_address) const;

  private:
    GuestMemory guest_;
    std::vector<MemoryRegion> regions_;
};

} // namespace hrun::vhost_user
