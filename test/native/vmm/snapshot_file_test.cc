// SPDX-License-Identifier: Apache-2.0
#include "vmm/snapshot_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "boot/x86_64/memory_map.h"
#include "memory/memory_file.h"
#include "vmm/snapshot_writer.h"

using namespace hrun;
using namespace hrun::vmm;

namespace {

constexpr uint64_t kMemory = 4 * kSnapshotPage;

std::vector<std::byte> bytes_of(const char* text) {
    const auto* begin = reinterpret_cast<const std::byte*>(text);
    return {begin, begin + strlen(text)};
}

// Two sections and four pages of memory, the third of which is not zero.
std::string sample() {
    const auto state = encode_state({{SectionKind::kMachine, 0, bytes_of("a machine")},
                                     {SectionKind::kDevice, 7, bytes_of("a device in slot 7")}},
                                    kMemory);
    std::string file(reinterpret_cast<const char*>(state.data()), state.size());
    file.resize((file.size() + kSnapshotPage - 1) / kSnapshotPage * kSnapshotPage + kMemory);
    file[file.size() - 2 * kSnapshotPage] = 'm';
    return file;
}

Result<SnapshotFile> open_bytes(const std::string& bytes) {
    Result<Fd> file = create_memory_file("snapshot", bytes.size());
    REQUIRE(file);
    REQUIRE(pwrite(file->get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    return SnapshotFile::open({"the file", file->get()});
}

std::string text_of(ByteReader reader) {
    const auto bytes = reader.take_bytes(reader.left());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

TEST_CASE("a snapshot file gives back its sections and its memory") {
    Result<SnapshotFile> file = open_bytes(sample());
    REQUIRE(file);
    CHECK(text_of(*file->section(SectionKind::kMachine, 0)) == "a machine");
    CHECK(text_of(*file->section(SectionKind::kDevice, 7)) == "a device in slot 7");
    Result<ByteReader> missing = file->section(SectionKind::kDevice, 8);
    REQUIRE(!missing);
    CHECK(missing.error().code == EBADMSG);
    CHECK(file->memory_bytes() == kMemory);
    Result<Mapping> memory = file->map_memory(2 * kSnapshotPage, kSnapshotPage);
    REQUIRE(memory);
    CHECK(memory->data()[0] == std::byte{'m'});
    memory->data()[0] = std::byte{'x'};
    CHECK(file->map_memory(2 * kSnapshotPage, kSnapshotPage)->data()[0] == std::byte{'m'});
}

TEST_CASE("a snapshot file that ends anywhere before its end is refused") {
    const std::string whole = sample();
    for (size_t size = 1; size < whole.size(); size += size < kSnapshotPage + 2 ? 1 : 997) {
        Result<SnapshotFile> file = open_bytes(whole.substr(0, size));
        REQUIRE(!file);
        CHECK(file.error().code == EBADMSG);
        CHECK(file.error().what.starts_with("restore the file, which is "));
        CHECK(file.error().what.find("truncated") != std::string::npos);
    }
    CHECK(open_bytes(whole + '\0').error().what.find("corrupted") != std::string::npos);
}

TEST_CASE("a snapshot file with any bit of its state changed is refused") {
    const std::string whole = sample();
    SnapshotHeader header;
    memcpy(&header, whole.data(), sizeof header);
    for (size_t at = 0; at < header.state_bytes; ++at)
        for (int bit = 0; bit < 8; ++bit) {
            std::string changed = whole;
            changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
            Result<SnapshotFile> file = open_bytes(changed);
            CAPTURE(at);
            REQUIRE(!file);
            const bool version =
                at >= offsetof(SnapshotHeader, version) && at < offsetof(SnapshotHeader, checksum);
            const bool architecture =
                at >= offsetof(SnapshotHeader, architecture) && at < offsetof(SnapshotHeader, sections);
            CHECK(file.error().code == (version || architecture ? ENOTSUP : EBADMSG));
        }
}

TEST_CASE("a snapshot of another version says which") {
    std::string newer = sample();
    newer[offsetof(SnapshotHeader, version)] = 2;
    CHECK(open_bytes(newer).error().what == "restore the file, which is of version 2 (this is version 1)");
}

TEST_CASE("what is no file or no snapshot is refused") {
    CHECK(SnapshotFile::open(boot::ImageSource("/nonexistent")).error().code == ENOENT);
    CHECK(SnapshotFile::open(boot::ImageSource("/dev/null")).error().code == EINVAL);
    CHECK(open_bytes(std::string(8192, 'x')).error().what == "restore the file, which is no snapshot");
}

TEST_CASE("memory is written without its zeros, and a killed writer leaves nothing by the name") {
    char name[] = "/tmp/hrun-snapshot-XXXXXX";
    REQUIRE(mkdtemp(name));
    const Fd directory(open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    MachineMemory memory{std::move(*create_memory_file("ram", 64 << 20)), boot::ram_ranges(64 << 20),
                         GuestMemory()};
    auto mapping = Mapping::share(memory.file.get(), 0, 64 << 20);
    REQUIRE(mapping);
    mapping->data()[5 << 20] = std::byte{1};
    mapping->data()[6 << 20] = std::byte{0}; // touched, but zero
    REQUIRE(memory.guest.add(std::move(*mapping), 0));
    REQUIRE(write_snapshot({directory.get(), "s"}, {{SectionKind::kSerial, 0, bytes_of("x")}}, memory));
    struct stat st;
    REQUIRE(fstatat(directory.get(), "s", &st, 0) == 0);
    CHECK(st.st_blocks * 512 <= 16384);
    CHECK((st.st_mode & 0777) == 0600);
    Result<SnapshotFile> file = SnapshotFile::open(std::string(name) + "/s");
    REQUIRE(file);
    CHECK(file->map_memory(5 << 20, kSnapshotPage)->data()[0] == std::byte{1});
    CHECK(file->map_memory(6 << 20, kSnapshotPage)->data()[0] == std::byte{0});
    REQUIRE(!write_snapshot({directory.get(), "no/directory"}, {}, memory));
    REQUIRE(unlinkat(directory.get(), "s", 0) == 0);
    CHECK(rmdir(name) == 0); // nothing else was there
}
