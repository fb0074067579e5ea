// SPDX-License-Identifier: Apache-2.0
#include "monitor/checkpoint_files.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sparse_file.h"
#include "monitor/template_files.h"
#include "temporary_directory.h"

namespace hrun::monitor {
namespace {

constexpr uint64_t kMemory = 8 << 20;
constexpr off_t kDisk = 32 << 20;

void write_at(const Fd& file, off_t at, const std::string& bytes) {
    REQUIRE(pwrite(file.get(), bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size()));
}

// A whole checkpoint.
struct Directory : test::TemporaryDirectory {
    Directory() {
        auto files = CheckpointFiles::create(fd.get());
        REQUIRE(files);
        REQUIRE(ftruncate(files->memory.get(), kMemory) == 0);
        REQUIRE(ftruncate(files->disk.get(), kDisk) == 0);
        write_at(files->memory, 1 << 20, std::string(10000, 'm'));
        write_at(files->disk, 5 << 20, std::string(5000, 'd'));
        write_at(files->state, 0, "QEVM and more");
        REQUIRE(files->seal(fd.get()));
    }
    Fd open_file(const char* name) const { return Fd(openat(fd.get(), name, O_RDWR | O_CLOEXEC)); }
    // Why it cannot be used; empty when it can.
    std::string mistake(uint64_t memory = kMemory) const {
        auto opened = CheckpointFiles::open(path, memory);
        return opened ? "" : opened.error().what;
    }
};

TEST_CASE("a whole checkpoint can be opened, its state is read from its beginning, and nobody else sees it") {
    const Directory directory;
    auto files = CheckpointFiles::open(directory.path, kMemory);
    REQUIRE(files);
    char begin[4];
    REQUIRE(read(files->state.get(), begin, sizeof begin) == sizeof begin);
    CHECK(std::string(begin, sizeof begin) == "QEVM");
    for (const char* name : {"memory", "state", "disk", "contents.json"}) {
        struct stat st;
        REQUIRE(stat((directory.path + "/" + name).c_str(), &st) == 0);
        CHECK((st.st_mode & 0777) == 0600);
    }
}

TEST_CASE("zeros are as good as a hole") {
    const Directory directory;
    write_at(directory.open_file("memory"), 2 << 20, std::string(8192, '\0'));
    CHECK(directory.mistake().empty());
    REQUIRE(TemplateFiles::dig_holes(directory.open_file("memory").get(), kMemory));
    CHECK(directory.mistake().empty());
}

TEST_CASE("what was changed, moved, cut or removed is named") {
    const Directory directory;
    SUBCASE("a byte of the memory") {
        write_at(directory.open_file("memory"), (1 << 20) + 9999, "x");
        CHECK(directory.mistake() == "the checkpoint's memory is damaged");
    }
    SUBCASE("a byte where there was a hole") {
        write_at(directory.open_file("disk"), kDisk - 1, "x");
        CHECK(directory.mistake() == "the checkpoint's disk is damaged");
    }
    SUBCASE("a page in another place") {
        write_at(directory.open_file("disk"), 5 << 20, std::string(8192, '\0'));
        write_at(directory.open_file("disk"), 6 << 20, std::string(5000, 'd'));
        CHECK(directory.mistake() == "the checkpoint's disk is damaged");
    }
    SUBCASE("the end of the state") {
        REQUIRE(ftruncate(directory.open_file("state").get(), 5) == 0);
        CHECK(directory.mistake() == "the checkpoint's state is damaged");
    }
    SUBCASE("a file") {
        REQUIRE(unlinkat(directory.fd.get(), "state", 0) == 0);
        CHECK(directory.mistake() == "open the checkpoint's state");
    }
    SUBCASE("a link in its place") {
        REQUIRE(renameat(directory.fd.get(), "disk", directory.fd.get(), "other") == 0);
        REQUIRE(symlinkat("other", directory.fd.get(), "disk") == 0);
        CHECK(directory.mistake() == "open the checkpoint's disk");
    }
    SUBCASE("what was written down of it") {
        std::ofstream(directory.path + "/contents.json") << R"({"version":2})";
        CHECK(directory.mistake() ==
              "the checkpoint's contents.json is damaged, or of another version of hrun");
        std::ofstream(directory.path + "/contents.json") << R"({"version":1,"memory":{"bytes":-1}})";
        CHECK(directory.mistake() == "the checkpoint's memory is damaged");
    }
    SUBCASE("the size of the machine") {
        CHECK(directory.mistake(2 * kMemory) ==
              "the checkpoint is of a machine with another amount of memory");
    }
}

TEST_CASE("a directory in which there is one already takes no other") {
    const Directory directory;
    CHECK(!CheckpointFiles::create(directory.fd.get()));
}

} // namespace
} // namespace hrun::monitor
