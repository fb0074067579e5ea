// SPDX-License-Identifier: Apache-2.0
#include "vmm/snapshot_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "base/byte_writer.h"
#include "base/crc32c.h"
#include "vmm/memory_image.h"

namespace hrun::vmm {

namespace {

std::string unfinished_name(const std::string& name) {
    static std::atomic<unsigned> counter = 0; // two snapshots at once in one process
    return name + "." + std::to_string(getpid()) + "." + std::to_string(counter++) + ".unfinished";
}

Result<void> write_all(int fd, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return Error::last("write a snapshot");
        bytes = bytes.subspan(static_cast<size_t>(written));
    }
    return {};
}

Result<void> write_contents(const Fd& file, const std::vector<Section>& sections,
                            const MachineMemory& memory) {
    const std::vector<std::byte> state = encode_state(sections, memory.size());
    HRUN_TRY(write_all(file.get(), state));
    SnapshotHeader header;
    memcpy(&header, state.data(), sizeof header);
    HRUN_TRY(write_memory_image(file.get(), header.memory_offset, memory));
    if (fsync(file.get()) < 0)
        return Error::last("sync a snapshot");
    return {};
}

Result<void> sync_directory(int directory) {
    const Fd here(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!here.valid() || fsync(here.get()) < 0)
        return Error::last("sync the directory of a snapshot");
    return {};
}

} // namespace

std::vector<std::byte> encode_state(const std::vector<Section>& sections, uint64_t memory_bytes) {
    SnapshotHeader header;
    header.sections = static_cast<uint32_t>(sections.size());
    header.state_bytes = sizeof header + sections.size() * sizeof(SectionEntry);
    ByteWriter table, contents;
    for (const Section& section : sections) {
        table.put_struct(SectionEntry{section.kind, section.index,
                                      static_cast<uint32_t>(section.bytes.size()), crc32c(section.bytes)});
        contents.append(section.bytes);
        header.state_bytes += section.bytes.size();
    }
    header.memory_offset = (header.state_bytes + kSnapshotPage - 1) & ~(kSnapshotPage - 1);
    header.memory_bytes = memory_bytes;
    ByteWriter signed_part;
    signed_part.put_struct(header);
    signed_part.append(table.bytes());
    header.checksum = crc32c(signed_part.bytes());
    ByteWriter out;
    out.put_struct(header);
    out.append(table.bytes());
    out.append(contents.bytes());
    return out.take();
}

Result<void> write_snapshot(const SnapshotTarget& target, const std::vector<Section>& sections,
                            const MachineMemory& memory) {
    const std::string unfinished = unfinished_name(target.name);
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    const Fd file(openat(target.directory, unfinished.c_str(), kFlags, 0600));
    if (!file.valid())
        return Error::last("create " + unfinished);
    Result<void> written = write_contents(file, sections, memory);
    if (written && renameat(target.directory, unfinished.c_str(), target.directory, target.name.c_str()) < 0)
        written = Error::last("name the snapshot " + target.name);
    if (!written) {
        unlinkat(target.directory, unfinished.c_str(), 0);
        return written;
    }
    return sync_directory(target.directory);
}

} // namespace hrun::vmm
