// SPDX-License-Identifier: Apache-2.0
#include "vmm/snapshot_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>

#include "base/byte_writer.h"
#include "base/crc32c.h"
#include "base/directory.h"
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
    HRUN_TRY(write_memory_image(file.get(), memory_offset_behind(state.size()), memory));
    if (fsync(file.get()) < 0)
        return Error::last("sync a snapshot");
    return {};
}

} // namespace

std::vector<std::byte> encode_state(const std::vector<Section>& sections, uint64_t memory_bytes) {
    SnapshotHeader header;
    header.sections = static_cast<uint32_t>(sections.size());
    header.state_bytes = sizeof header + sections.size() * sizeof(SectionEntry);
    std::vector<SectionEntry> table;
    ByteWriter contents;
    for (const Section& section : sections) {
        table.push_back({section.kind, section.index, static_cast<uint32_t>(section.bytes.size()),
                         crc32c(section.bytes)});
        contents.append(section.bytes);
        header.state_bytes += section.bytes.size();
    }
    header.memory_offset = memory_offset_behind(header.state_bytes);
    header.memory_bytes = memory_bytes;
    header.checksum = header_checksum(header, table);
    ByteWriter out;
    out.put_struct(header);
    out.append(std::as_bytes(std::span(table)));
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
