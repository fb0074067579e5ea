// SPDX-License-Identifier: Apache-2.0
// Guest memory for tests: one sealed memfd mapped at a guest address.
#pragma once

#include <doctest/doctest.h>

#include "memory/guest_memory.h"
#include "memory/memory_file.h"

namespace hrun::test {

inline void add_memory(GuestMemory& memory, uint64_t address, uint64_t size) {
    auto file = create_memory_file("test", size);
    REQUIRE(file);
    auto mapping = Mapping::share(file->get(), 0, size);
    REQUIRE(mapping);
    REQUIRE(memory.add(std::move(*mapping), address));
}

} // namespace hrun::test
