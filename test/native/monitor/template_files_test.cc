// SPDX-License-Identifier: Apache-2.0
#include "monitor/template_files.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory/memory_file.h"
#include "temporary_directory.h"

namespace hrun::monitor {
namespace {

constexpr uint64_t kBytes = 8 << 20;
constexpr off_t kFirst = 1 << 20;
constexpr off_t kLast = kBytes - 4096;

struct Directory : test::TemporaryDirectory {
    Directory() {
        memory.reset(openat(fd.get(), "memory", O_RDWR | O_CREAT, 0600));
        REQUIRE(ftruncate(memory.get(), kBytes) == 0);
        std::ofstream(path + "/state") << "state";
    }
    void write_page(off_t at, char byte) const {
        const std::string page(4096, byte);
        REQUIRE(pwrite(memory.get(), page.data(), page.size(), at) == 4096);
    }
    uint64_t allocated() const {
        struct stat st;
        REQUIRE(fsync(memory.get()) == 0);
        REQUIRE(fstat(memory.get(), &st) == 0);
        return static_cast<uint64_t>(st.st_blocks) * 512;
    }

    Fd memory;
};

char byte_at(int file, off_t at) {
    char byte = 'x';
    REQUIRE(pread(file, &byte, 1, at) == 1);
    return byte;
}

TEST_CASE("a copy has all bytes of the memory, and takes no more room") {
    const Directory directory;
    directory.write_page(kFirst, 'a');
    directory.write_page(kLast, 'z');
    auto files = TemplateFiles::open(directory.path, Engine::kQemu, kBytes);
    REQUIRE(files);
    auto copy = create_memory_file("copy", kBytes);
    REQUIRE(copy);
    REQUIRE(TemplateFiles::copy_memory(files->memory.get(), copy->get(), kBytes));
    CHECK(byte_at(copy->get(), kFirst) == 'a');
    CHECK(byte_at(copy->get(), kFirst + 4095) == 'a');
    CHECK(byte_at(copy->get(), kFirst - 1) == 0);
    CHECK(byte_at(copy->get(), kLast) == 'z');
    CHECK(byte_at(copy->get(), kLast + 4095) == 'z');
    struct stat st;
    REQUIRE(fstat(copy->get(), &st) == 0);
    CHECK(st.st_blocks * 512 < 1 << 20);
}

TEST_CASE("an empty memory is copied too") {
    const Directory directory;
    auto files = TemplateFiles::open(directory.path, Engine::kQemu, kBytes);
    auto copy = create_memory_file("copy", kBytes);
    CHECK(TemplateFiles::copy_memory(files->memory.get(), copy->get(), kBytes));
}

TEST_CASE("zeros of the memory go back to the file system, the rest stays") {
    const Directory directory;
    for (off_t at = 0; at < static_cast<off_t>(kBytes); at += 4096)
        directory.write_page(at, at == kFirst ? 'a' : '\0');
    const uint64_t before = directory.allocated();
    REQUIRE(TemplateFiles::dig_holes(directory.memory.get(), kBytes));
    CHECK(directory.allocated() < before / 8);
    CHECK(byte_at(directory.memory.get(), kFirst) == 'a');
    CHECK(byte_at(directory.memory.get(), kFirst + 4096) == 0);
}

TEST_CASE("what is no template is refused") {
    const Directory directory;
    CHECK(!TemplateFiles::open(directory.path + "/none", Engine::kQemu, kBytes));
    CHECK(!TemplateFiles::open(directory.path, Engine::kQemu, kBytes * 2));
    REQUIRE(truncate((directory.path + "/state").c_str(), 0) == 0);
    CHECK(!TemplateFiles::open(directory.path, Engine::kQemu, kBytes));
    REQUIRE(unlink((directory.path + "/state").c_str()) == 0);
    CHECK(!TemplateFiles::open(directory.path, Engine::kQemu, kBytes));
    REQUIRE(symlink("/etc/passwd", (directory.path + "/state").c_str()) == 0);
    CHECK(!TemplateFiles::open(directory.path, Engine::kQemu, kBytes));
    REQUIRE(unlink((directory.path + "/state").c_str()) == 0);
    REQUIRE(mkfifo((directory.path + "/state").c_str(), 0600) == 0);
    CHECK(!TemplateFiles::open(directory.path, Engine::kQemu, kBytes));
}

} // namespace
} // namespace hrun::monitor
