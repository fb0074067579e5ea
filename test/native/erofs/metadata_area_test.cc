// SPDX-License-Identifier: Apache-2.0
#include "erofs/metadata_area.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

using namespace hrun;
using namespace hrun::erofs;

TEST_CASE("records never cross a block, overlap or get lost") {
    Fd fd(::memfd_create("image", MFD_CLOEXEC));
    ImageFile image(fd.get());
    REQUIRE(image.reset());
    REQUIRE(image.allocate(1));
    MetadataArea area(image);
    std::vector<std::pair<uint64_t, std::vector<uint8_t>>> placed;
    for (unsigned i = 0; i < 3000; i++) {
        std::vector<uint8_t> record(64 + i * 7919 % 4033, static_cast<uint8_t>(i));
        auto offset = area.place(record);
        REQUIRE(offset);
        CHECK(*offset % kSlotBytes == 0);
        CHECK(*offset / kBlockBytes == (*offset + record.size() - 1) / kBlockBytes);
        placed.emplace_back(*offset, std::move(record));
    }
    REQUIRE(area.finish());
    REQUIRE(image.finish());
    for (auto& [offset, record] : placed) {
        std::vector<uint8_t> read(record.size());
        REQUIRE(::pread(fd.get(), read.data(), read.size(), static_cast<off_t>(offset)) ==
                static_cast<ssize_t>(read.size()));
        REQUIRE(read == record);
    }
}

TEST_CASE("a record larger than a block stands alone, and unused blocks at the end go back") {
    Fd fd(::memfd_create("image", MFD_CLOEXEC));
    ImageFile image(fd.get());
    MetadataArea area(image);
    REQUIRE(area.place(std::vector<uint8_t>(64)));
    auto large = area.place(std::vector<uint8_t>(10000));
    REQUIRE(large);
    CHECK(*large % kBlockBytes == 0);
    REQUIRE(area.finish());
    CHECK(image.next_block() == 4 + 3);
}
