// SPDX-License-Identifier: Apache-2.0
#include "memory/guest_memory.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <cstring>
#include <string>

#include "memory/memory_file.h"

namespace hrun {
namespace {

constexpr uint64_t kPage = 4096;

Mapping map_new(uint64_t size) {
    auto file = create_memory_file("test", size);
    REQUIRE(file);
    auto mapping = Mapping::share(file->get(), 0, size);
    REQUIRE(mapping);
    return std::move(*mapping);
}

TEST_CASE("bytes written are read back at the same guest address") {
    GuestMemory memory;
    REQUIRE(memory.add(map_new(2 * kPage), 0x10000));
    REQUIRE(memory.write(0x10ffe, "four", 4));
    char out[4];
    REQUIRE(memory.read(0x10ffe, out, 4));
    CHECK(std::string(out, 4) == "four");
}

TEST_CASE("a range outside memory is refused, wherever it begins or ends") {
    GuestMemory memory;
    REQUIRE(memory.add(map_new(kPage), 0x10000));
    char byte[8] = {};
    CHECK_FALSE(memory.read(0xffff, byte, 1));
    CHECK_FALSE(memory.read(0x11000, byte, 1));
    CHECK_FALSE(memory.read(0x10ffc, byte, 8));
    CHECK_FALSE(memory.write(0x0ffff, byte, 2));
    CHECK_FALSE(memory.read(UINT64_MAX, byte, 8));
    CHECK(memory.contiguous(0x10000, kPage) != nullptr);
    CHECK(memory.contiguous(0x10000, kPage + 1) == nullptr);
    CHECK(memory.contiguous(0x10fff, UINT64_MAX) == nullptr);
}

TEST_CASE("a range over two adjacent regions is one range to copy and two segments") {
    GuestMemory memory;
    REQUIRE(memory.add(map_new(kPage), 0x2000));
    REQUIRE(memory.add(map_new(kPage), 0x1000));
    REQUIRE(memory.write(0x1ffe, "over", 4));
    std::vector<iovec> parts;
    REQUIRE(memory.segments(0x1ffe, 4, parts));
    REQUIRE(parts.size() == 2);
    CHECK(memcmp(parts[0].iov_base, "ov", 2) == 0);
    CHECK(memcmp(parts[1].iov_base, "er", 2) == 0);
    CHECK(memory.contiguous(0x1ffe, 4) == nullptr);
}

TEST_CASE("segments leaves its output alone when the range is bad") {
    GuestMemory memory;
    REQUIRE(memory.add(map_new(kPage), 0));
    std::vector<iovec> parts{{nullptr, 7}};
    CHECK_FALSE(memory.segments(kPage - 1, 2, parts));
    CHECK(parts.size() == 1);
}

TEST_CASE("regions that overlap, are unaligned or pass the end of the address space are refused") {
    GuestMemory memory;
    REQUIRE(memory.add(map_new(4 * kPage), 0x10000));
    CHECK(memory.add(map_new(kPage), 0x13000).error().code == EEXIST);
    CHECK(memory.add(map_new(2 * kPage), 0xf000).error().code == EEXIST);
    CHECK(memory.add(map_new(kPage), 0x20001).error().code == EINVAL);
    CHECK(memory.add(map_new(kPage), UINT64_MAX - kPage + 1).error().code == EINVAL);
    CHECK(memory.region_count() == 1);
}

TEST_CASE("a mapping past the end of its file is refused instead of raising SIGBUS later") {
    auto file = create_memory_file("test", kPage);
    REQUIRE(file);
    CHECK(Mapping::share(file->get(), 0, 2 * kPage).error().code == EINVAL);
    CHECK(Mapping::share(file->get(), kPage, kPage).error().code == EINVAL);
    CHECK(Mapping::share(file->get(), 1, kPage).error().code == EINVAL);
    CHECK(Mapping::share(file->get(), UINT64_MAX - kPage + 1, kPage).error().code == EINVAL);
}

TEST_CASE("memory that its owner could still shrink is told from memory that is sealed") {
    auto sealed = create_memory_file("test", kPage);
    REQUIRE(sealed);
    CHECK(require_unshrinkable(sealed->get()));
    CHECK(ftruncate(sealed->get(), 0) == -1);
    const Fd open(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    CHECK(require_unshrinkable(open.get()).error().code == EPERM);
}

} // namespace
} // namespace hrun
