// SPDX-License-Identifier: Apache-2.0
// What the agent makes of a hostile archive that somebody copies into a container.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

extern "C" {
#include "sparse_content.h"
#include "tar_extension.h"
#include "tar_reader.h"
}

namespace {

// Nobody guesses checksums: what has the magic of a header gets its own.
void mend_checksums(std::vector<uint8_t>& archive) {
    for (size_t at = 0; at + TAR_BLOCK <= archive.size(); at += TAR_BLOCK) {
        tar_block block;
        std::memcpy(&block, &archive[at], TAR_BLOCK);
        if (std::memcmp(block.magic, "ustar", 5) != 0)
            continue;
        std::snprintf(block.checksum, sizeof block.checksum, "%06o", tar_checksum(&block) & 0777777);
        std::memcpy(&archive[at], &block, TAR_BLOCK);
    }
}

void must(bool holds) {
    if (!holds)
        abort();
}

void read_content(tar_reader& reader, const tar_header& header, size_t piece, err& err) {
    std::vector<uint8_t> bytes(piece);
    uint32_t type; // any byte, which in C++ the enumeration could not hold
    std::memcpy(&type, &header.type, sizeof type);
    const uint64_t size = type == TAR_FILE ? header.size : 0; // what else has a size has no content
    uint64_t total = 0;
    for (ssize_t count = 1; count > 0;) {
        count = tar_read(&reader, bytes.data(), bytes.size(), &err);
        must(count <= static_cast<ssize_t>(piece));
        total += count > 0 ? static_cast<uint64_t>(count) : 0;
        must(total <= size && (count != 0 || total == size));
    }
}

void write_sparse(tar_reader& reader, const tar_header& header, err& err) {
    const int file = memfd_create("content", 0);
    must(file >= 0);
    if (sparse_content_write(&reader, &header, file, &err) == 0)
        must(lseek(file, 0, SEEK_END) == static_cast<off_t>(header.real_size));
    close(file);
}

} // namespace

// The first byte says how content is read: how much at once, and which entries are left to be skipped.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0)
        return 0;
    std::vector<uint8_t> archive(data + 1, data + size);
    mend_checksums(archive);
    const int fd = memfd_create("archive", 0);
    must(fd >= 0 && write(fd, archive.data(), archive.size()) == static_cast<ssize_t>(archive.size()) &&
         lseek(fd, 0, SEEK_SET) == 0);
    auto reader = std::make_unique<tar_reader>();
    reader->fd = fd;
    tar_header header{};
    err err{};
    int more;
    for (int entry = 0; (more = tar_next(reader.get(), &header, &err)) > 0; ++entry) {
        must(header.name != nullptr && header.attribute_count <= TAR_MAX_ATTRIBUTES);
        if (header.sparse)
            write_sparse(*reader, header, err);
        else if ((entry ^ data[0]) & 1)
            read_content(*reader, header, 1 + data[0] * 8u, err);
    }
    must(more == 0 || err.text[0] != '\0');
    if (more == 0)
        tar_drain(reader.get(), &err);
    tar_header_free(&header);
    close(fd);
    return 0;
}
