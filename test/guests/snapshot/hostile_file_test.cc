// SPDX-License-Identifier: Apache-2.0
// Snapshots that somebody has made up, with checksums that are right: refused, or a guest that has had its registers changed, but never
// more than that.
#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <random>

#include "devices/virtio/balloon.h"
#include "devices/virtio/console.h"
#include "devices/virtio/vsock.h"
#include "harness.h"
#include "snapshot/snapshot_directory.h"

using namespace hrun;
using namespace hrun::vmm;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;
using hrun::test::SnapshotDirectory;

namespace {

void add_devices(GuestRun& run) {
    auto refuse = [](uint32_t) { return Result<Fd>(Error{ECONNREFUSED, "connect"}); };
    run.add(0, std::make_unique<virtio::VsockDevice>(run.loop(), 3, refuse));
    run.add(1, std::make_unique<virtio::BalloonDevice>(run.loop(), [](const auto&) {}));
    run.add(2, std::make_unique<virtio::ConsoleDevice>(
                   run.loop(),
                   virtio::ConsoleDevice::Host{[](std::span<const char> bytes) { return bytes.size(); }}));
}

// The vsock scenario: one device is active, two are not.
std::string make_snapshot(const SnapshotDirectory& directory) {
    GuestRun run("snapshot");
    run.config.command_line = "vsock";
    add_devices(run);
    run.start();
    for (int i = 0; i < 5; ++i) // the driver sets the device up meanwhile
        REQUIRE(run.loop().run_once(std::chrono::milliseconds(20)));
    run.save(directory.file("a"));
    return directory.contents("a");
}

std::vector<Section> sections_of(const std::string& path) {
    constexpr std::pair<SectionKind, uint32_t> kAll[] = {
        {SectionKind::kMachine, 0}, {SectionKind::kVm, 0},     {SectionKind::kVcpu, 0},
        {SectionKind::kSerial, 0},  {SectionKind::kDevice, 0}, {SectionKind::kDevice, 1},
        {SectionKind::kDevice, 2}};
    Result<SnapshotFile> file = SnapshotFile::open(path);
    REQUIRE(file);
    std::vector<Section> sections;
    for (const auto& [kind, index] : kAll) {
        Result<ByteReader> reader = file->section(kind, index);
        REQUIRE(reader);
        const auto bytes = reader->take_bytes(reader->left());
        sections.push_back({kind, index, {bytes.begin(), bytes.end()}});
    }
    return sections;
}

// The file with these sections instead of its own, which must take as many pages.
void write_with(const std::string& path, std::string file, const std::vector<Section>& sections,
                uint64_t memory) {
    const std::vector<std::byte> state = encode_state(sections, memory);
    SnapshotHeader header;
    memcpy(&header, state.data(), sizeof header);
    file = file.substr(file.size() - memory);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(state.data()), static_cast<std::streamsize>(state.size()));
    out.seekp(static_cast<std::streamoff>(header.memory_offset));
    out.write(file.data(), static_cast<std::streamsize>(file.size()));
}

// Restores it and, if that goes, lets the guest run a little.
bool restores(const std::string& path) {
    GuestRun run("snapshot");
    add_devices(run);
    const Result<void> restored = run.restore(path);
    if (!restored) {
        CHECK(!restored.error().what.empty());
        return false;
    }
    REQUIRE(run.machine().start());
    for (int i = 0; i < 4; ++i)
        REQUIRE(run.loop().run_once(std::chrono::milliseconds(1)));
    return true;
}

} // namespace

TEST_CASE("a snapshot that somebody made up is refused or runs, and harms nobody" *
          doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    const std::string original = make_snapshot(directory);
    const std::vector<Section> sections = sections_of(directory.file("a"));
    std::mt19937 random(1); // the same each time
    int refused = 0, accepted = 0;
    for (int round = 0; round < 70; ++round) {
        std::vector<Section> changed = sections;
        Section& section = changed[round % changed.size()];
        for (unsigned left = 1 + random() % 4; left > 0; --left)
            section.bytes[random() % section.bytes.size()] = static_cast<std::byte>(random());
        write_with(directory.file("b"), original, changed, 16 << 20);
        ++(restores(directory.file("b")) ? accepted : refused);
    }
    CHECK(refused > 0);
    CHECK(accepted > 0);
}

TEST_CASE("a snapshot with a section too short, too long, missing or twice is refused" *
          doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    const std::string original = make_snapshot(directory);
    const std::vector<Section> sections = sections_of(directory.file("a"));
    for (size_t i = 0; i < sections.size(); ++i) {
        CAPTURE(i);
        for (const int change : {-1, 1, -static_cast<int>(sections[i].bytes.size())}) {
            std::vector<Section> changed = sections;
            changed[i].bytes.resize(changed[i].bytes.size() + static_cast<size_t>(change));
            write_with(directory.file("b"), original, changed, 16 << 20);
            CHECK(!restores(directory.file("b")));
        }
        std::vector<Section> fewer = sections;
        fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
        write_with(directory.file("b"), original, fewer, 16 << 20);
        CHECK(!restores(directory.file("b")));
    }
}

TEST_CASE("a snapshot is refused by a machine with other devices" * doctest::skip(!kvm_usable())) {
    const SnapshotDirectory directory;
    make_snapshot(directory);
    GuestRun run("snapshot");
    run.add(1, std::make_unique<virtio::BalloonDevice>(run.loop(), [](const auto&) {}));
    const Result<void> restored = run.restore(directory.file("a"));
    REQUIRE(!restored);
    CHECK(restored.error().code == EINVAL);
    CHECK(restored.error().what.ends_with("which has a device of type 19 in slot 0"));
}
