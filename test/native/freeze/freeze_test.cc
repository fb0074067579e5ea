// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "freeze/frozen_process.h"
#include "freeze/image.h"

using namespace hrun;
using namespace hrun::test;

namespace {

// A subject that has been asked `before`, as an image.
Fd frozen(const std::string& before = {}) {
    Fd image(memfd_create("image", MFD_CLOEXEC));
    const Fd shared = shared_file("first");
    Subject subject(shared);
    REQUIRE(subject.ask('T') == "passed"); // it is there
    for (const char question : before)
        subject.ask(question);
    REQUIRE(subject.freeze(image) == "");
    return image;
}

freeze::Header header_of(const Fd& image) {
    freeze::Header header{};
    REQUIRE(pread(image.get(), &header, sizeof header, 0) == sizeof header);
    return header;
}

// Why an image is not thawed.
std::string refusal(const Fd& image) {
    const Fd shared = shared_file("other");
    Subject thawed(image, shared);
    return thawed.last_words();
}

std::string mistake(const std::string& what) {
    const Fd image(memfd_create("image", MFD_CLOEXEC));
    const Fd shared = shared_file("first");
    Subject subject(shared, what);
    REQUIRE(subject.ask('T') == "passed");
    return subject.freeze(image);
}

} // namespace

TEST_CASE("a process goes on where it stood, in as many copies as one likes") {
    const Fd shared = shared_file("first");
    const Fd image(memfd_create("image", MFD_CLOEXEC));
    std::vector<std::string> expected;
    {
        Subject undisturbed(shared);
        for (int i = 0; i < 3; ++i)
            expected.push_back(undisturbed.ask('a'));
        Subject subject(shared);
        REQUIRE(subject.ask('a') == expected[0]);
        REQUIRE(subject.freeze(image) == "");
    }
    Subject one(image, shared);
    Subject other(image, shared);
    CHECK(one.ask('a') == expected[1]);
    CHECK(other.ask('a') == expected[1]);
    CHECK(one.ask('a') == expected[2]);
    CHECK(other.ask('a') == expected[2]);
    CHECK(one.ask('T') == "passed");
}

TEST_CASE("its open files are what they were") {
    const Fd image = frozen();
    const Fd shared = shared_file("first");
    Subject thawed(image, shared);
    CHECK(thawed.ask('e') == "5");
    CHECK(thawed.ask('e') == "EAGAIN");
    CHECK(thawed.ask('S') == "10"); // SIGUSR1, which its threads block, by signalfd(2)
}

TEST_CASE("signals do in it what they did, and count on") {
    const Fd image = frozen("ss");
    const Fd shared = shared_file("first");
    Subject thawed(image, shared);
    CHECK(thawed.ask('s') == "3");
}

TEST_CASE("heap and stack grow") {
    const Fd image = frozen("g");
    const Fd shared = shared_file("first");
    Subject thawed(image, shared);
    CHECK(thawed.ask('g') == "2007");
    CHECK(thawed.ask('t') == "started");
}

TEST_CASE("others see it under its own name") {
    const Fd image = frozen();
    const Fd shared = shared_file("first");
    Subject thawed(image, shared);
    REQUIRE(thawed.ask('T') == "passed");
    CHECK(thawed.name() == HRUN_FREEZE_SUBJECT);
}

TEST_CASE("what it shares is another file's for each copy") {
    const Fd image = frozen();
    const Fd shared = shared_file("second");
    Subject thawed(image, shared);
    CHECK(thawed.ask('m') == "second");
}

TEST_CASE("copies take different random numbers") {
    const Fd image = frozen("r");
    const Fd shared = shared_file("first");
    Subject one(image, shared);
    Subject other(image, shared);
    const std::string number = one.ask('r');
    CHECK(number != "none");
    CHECK(number != other.ask('r'));
}

TEST_CASE("a copy starts no processes, which the process might have done") {
    const Fd shared = shared_file("first");
    Subject subject(shared);
    CHECK(subject.ask('f') == "started");
    const Fd image = frozen();
    Subject thawed(image, shared);
    CHECK(thawed.ask('f') == "EPERM");
    CHECK(thawed.ask('t') == "started");
}

TEST_CASE("what cannot be kept is told") {
    CHECK(mistake("epoll") == "an epoll instance is in use");
    CHECK(mistake("twice").find("more than one file is shared: /memfd:") == 0);
}

TEST_CASE("an image that is cut off is refused, wherever it is") {
    const Fd whole = frozen();
    const freeze::Header header = header_of(whole);
    const off_t tables = static_cast<off_t>(sizeof header + header.regions * sizeof(freeze::Region) +
                                            header.threads * sizeof(freeze::Thread) +
                                            header.files * sizeof(freeze::OpenFile) + header.text_bytes);
    for (const off_t size :
         {off_t{0}, off_t{7}, off_t{sizeof header - 1}, off_t{sizeof header}, tables / 2, tables - 1}) {
        const Fd image = frozen();
        REQUIRE(ftruncate(image.get(), size) == 0);
        CHECK(refusal(image) == "thaw: the image is cut off\n1");
    }
}

TEST_CASE("an image that is damaged is refused") {
    const auto refused = [](auto change) {
        const Fd image = frozen();
        freeze::Header header = header_of(image);
        std::vector<freeze::Region> regions(header.regions);
        const size_t bytes = regions.size() * sizeof(freeze::Region);
        REQUIRE(pread(image.get(), regions.data(), bytes, sizeof header) == static_cast<ssize_t>(bytes));
        change(header, regions);
        REQUIRE(pwrite(image.get(), &header, sizeof header, 0) == sizeof header);
        REQUIRE(pwrite(image.get(), regions.data(), bytes, sizeof header) == static_cast<ssize_t>(bytes));
        return refusal(image);
    };
    using Regions = std::vector<freeze::Region>;
    const std::string version = "thaw: not an image of this version\n1";
    const std::string memory = "thaw: the image has memory that cannot be had\n1";
    CHECK(refused([](auto& header, Regions&) { header.magic[0] = 'x'; }) == version);
    CHECK(refused([](auto& header, Regions&) { header.threads = 0; }) == version);
    CHECK(refused([](auto& header, Regions&) { header.threads = 1000; }) == version);
    CHECK(refused([](auto& header, Regions&) { header.text_bytes = 1u << 31; }) == version);
    CHECK(refused([](auto&, Regions& regions) { regions[0].begin = 0x400000; }) == memory);
    CHECK(refused([](auto&, Regions& regions) { regions[1].begin = regions[0].begin; }) == memory);
    CHECK(refused([](auto&, Regions& regions) { regions[0].end = regions[0].begin; }) == memory);
    CHECK(refused([](auto&, Regions& regions) { regions.back().end = 0xffffffffffff0000; }) == memory);
    CHECK(refused([](auto&, Regions& regions) { regions[0].offset += 1; }) == memory);
    const auto of_file = [](Regions& regions) -> freeze::Region& {
        for (freeze::Region& region : regions)
            if (region.kind == freeze::RegionKind::kFile)
                return region;
        return regions[0];
    };
    CHECK(refused([&](auto&, Regions& regions) { of_file(regions).text = 1u << 30; }) == memory);
    CHECK(refused([&](auto&, Regions& regions) { of_file(regions).inode += 1; }) ==
          "thaw: a file that it has mapped is another\n1");
    CHECK(refused([&](auto&, Regions& regions) { of_file(regions).changed_ns += 1; }) ==
          "thaw: a file that it has mapped is another\n1");
    CHECK(refused([](auto&, Regions& regions) { regions[0].kind = static_cast<freeze::RegionKind>(99); }) ==
          "thaw: the image is damaged\n1");
}
