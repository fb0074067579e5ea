// SPDX-License-Identifier: Apache-2.0
#include "memory/discard.h"

#include <doctest/doctest.h>

#include "memory/mapping.h"
#include "memory/memory_file.h"

using namespace hrun;

namespace {
constexpr uint64_t kPage = kDiscardUnit;
}

TEST_CASE("a private mapping's writes are its own, and its discarded pages are zero whatever the file has") {
    auto file = create_memory_file("test", 4 * kPage);
    REQUIRE(file);
    auto shared = Mapping::share(file->get(), 0, 4 * kPage);
    auto copy = Mapping::copy_on_write(file->get(), 0, 4 * kPage);
    REQUIRE((shared && copy));
    for (uint64_t at = 0; at < 4 * kPage; at += kPage)
        shared->data()[at] = std::byte{'s'};
    copy->data()[0] = std::byte{'c'};
    CHECK(shared->data()[0] == std::byte{'s'});
    auto freed = discard_pages({copy->data(), 2 * kPage + 100}, Backing::kCopyOnWrite);
    REQUIRE(freed);
    CHECK(*freed == 2 * kPage);
    CHECK(copy->data()[0] == std::byte{0});
    CHECK(copy->data()[kPage] == std::byte{0});
    CHECK(copy->data()[2 * kPage] == std::byte{'s'});
    CHECK(shared->data()[0] == std::byte{'s'});
    copy->data()[kPage] = std::byte{'n'};
    CHECK(copy->data()[kPage] == std::byte{'n'});
    CHECK(discard_pages({copy->data(), 4 * kPage}, Backing::kCopyOnWrite)); // again, and over both kinds
    CHECK(copy->data()[3 * kPage] == std::byte{0});
}

TEST_CASE("a shared mapping's discarded pages are zero for everybody") {
    auto file = create_memory_file("test", 2 * kPage);
    REQUIRE(file);
    auto one = Mapping::share(file->get(), 0, 2 * kPage);
    auto other = Mapping::share(file->get(), 0, 2 * kPage);
    REQUIRE((one && other));
    one->data()[0] = one->data()[kPage] = std::byte{'s'};
    REQUIRE(discard_pages({one->data(), kPage}, Backing::kShared));
    CHECK(other->data()[0] == std::byte{0});
    CHECK(other->data()[kPage] == std::byte{'s'});
}
