// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freeze/entries.h"
#include "freeze/shared_file.h"
#include "freeze/tables.h"

namespace hrun::freeze {

SharedFile shared;

namespace {

constexpr uint64_t kStackBytes = 8 << 20; // of the first thread, which grows no more
constexpr uint64_t kFewZeros = 16;        // pages: not worth a region of their own

char maps[1 << 20];

struct Mapping {
    uint64_t begin;
    uint64_t end;
    uint64_t offset;
    uint64_t inode;
    uint32_t protection;
    bool is_shared;
    const char* name; // up to the end of the line; may be empty
};

bool read_maps(char*& from) {
    const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t count = -1;
    while (fd >= 0 && used < sizeof maps - 1 && (count = read(fd, maps + used, sizeof maps - 1 - used)) > 0)
        used += static_cast<size_t>(count);
    close(fd);
    if (count != 0)
        return fail("read its own mappings");
    maps[used] = 0;
    from = maps;
    return true;
}

bool parse(char* line, Mapping& mapping) {
    char access[5];
    unsigned long begin, end, offset, inode;
    int name = 0;
    if (sscanf(line, "%lx-%lx %4s %lx %*x:%*x %lu %n", &begin, &end, access, &offset, &inode, &name) != 5)
        return fail("a mapping that is not understood: %s", line);
    mapping = {begin, end, offset, inode, 0, access[3] == 's', line + name};
    mapping.protection = (access[0] == 'r' ? PROT_READ : 0u) | (access[1] == 'w' ? PROT_WRITE : 0u) |
                         (access[2] == 'x' ? PROT_EXEC : 0u);
    return true;
}

Region* add_region(RegionKind kind, uint64_t begin, uint64_t end, uint32_t protection) {
    if (tables.header.regions == kMaxRegions) {
        fail("more than %u regions of memory", kMaxRegions);
        return nullptr;
    }
    Region& region = tables.regions[tables.header.regions++];
    region = {};
    region.kind = kind;
    region.begin = begin;
    region.end = end;
    region.protection = protection;
    return &region;
}

// Whether a page of [begin, end) differs from what is in its file.
bool was_written(int pages, uint64_t begin, uint64_t end, bool& written) {
    constexpr uint64_t kPresent = 1ull << 63;
    constexpr uint64_t kSwapped = 1ull << 62;
    constexpr uint64_t kOfFile = 1ull << 61;
    uint64_t entries[512];
    written = false;
    for (uint64_t at = begin; at < end && !written;) {
        const uint64_t count = (end - at) / kPage < 512 ? (end - at) / kPage : 512;
        const ssize_t size = pread(pages, entries, count * 8, static_cast<off_t>(at / kPage * 8));
        if (size != static_cast<ssize_t>(count * 8))
            return fail_last("look at its own pages");
        for (uint64_t i = 0; i < count; ++i)
            written |= (entries[i] & kSwapped) || ((entries[i] & kPresent) && !(entries[i] & kOfFile));
        at += count * kPage;
    }
    return true;
}

bool is_zero(uint64_t page) {
    const auto* words = reinterpret_cast<const uint64_t*>(page);
    for (unsigned i = 0; i < kPage / 8; ++i)
        if (words[i])
            return false;
    return true;
}

// Pages of zeros, many in a row, stay out of the file.
bool add_content(uint64_t begin, uint64_t end, uint32_t protection) {
    if (!(protection & PROT_READ))
        return add_region(RegionKind::kEmpty, begin, end, protection) != nullptr;
    uint64_t content = begin; // where what is kept began
    uint64_t at = begin;
    while (at < end) {
        uint64_t zeros = at;
        while (zeros < end && is_zero(zeros))
            zeros += kPage;
        const bool kept = zeros - at < kFewZeros * kPage && zeros < end;
        if (kept) {
            at = zeros + kPage;
            continue;
        }
        if (content < at && !add_region(RegionKind::kImage, content, at, protection))
            return false;
        if (at < zeros && !add_region(RegionKind::kEmpty, at, zeros, protection))
            return false;
        at = content = zeros;
    }
    return content >= end || add_region(RegionKind::kImage, content, end, protection) != nullptr;
}

bool add_text(const char* name, uint32_t& offset) {
    const size_t size = strlen(name) + 1;
    if (size > kMaxText - tables.header.text_bytes)
        return fail("too many names of files");
    offset = tables.header.text_bytes;
    memcpy(tables.text + offset, name, size);
    tables.header.text_bytes += static_cast<uint32_t>(size);
    return true;
}

bool add_file(const Mapping& mapping) {
    struct stat st;
    if (stat(mapping.name, &st) < 0 || st.st_ino != mapping.inode)
        return fail("%s has gone while it was in use", mapping.name);
    Region* region = add_region(RegionKind::kFile, mapping.begin, mapping.end, mapping.protection);
    if (!region || !add_text(mapping.name, region->text))
        return false;
    region->offset = mapping.offset;
    region->device = st.st_dev;
    region->inode = st.st_ino;
    region->changed_s = st.st_ctim.tv_sec;
    region->changed_ns = st.st_ctim.tv_nsec;
    return true;
}

bool add_shared(const Mapping& mapping) {
    struct stat st;
    if (shared.known && shared.inode != mapping.inode)
        return fail("more than one file is shared: %s", mapping.name);
    if (!shared.known) { // by the open file of that number: its name may be gone
        Entries numbers("/proc/self/fd");
        while (const char* entry = numbers.next())
            if (fstat(atoi(entry), &st) == 0 && st.st_ino == mapping.inode)
                shared = {true, st.st_dev, st.st_ino};
        if (!shared.known)
            return fail("%s is shared, and not open", mapping.name);
    }
    Region* region = add_region(RegionKind::kShared, mapping.begin, mapping.end, mapping.protection);
    if (region)
        region->offset = mapping.offset;
    return region != nullptr;
}

bool add_mapping(const Mapping& mapping, int pages) {
    if (strcmp(mapping.name, "[vsyscall]") == 0)
        return true;
    if (strncmp(mapping.name, "[vvar", 5) == 0 || strcmp(mapping.name, "[vdso]") == 0)
        return add_region(RegionKind::kKernel, mapping.begin, mapping.end, mapping.protection) != nullptr;
    if (mapping.is_shared)
        return add_shared(mapping);
    bool written = true;
    if (mapping.name[0] == '/' && !was_written(pages, mapping.begin, mapping.end, written))
        return false;
    if (!written)
        return add_file(mapping);
    if (strcmp(mapping.name, "[stack]") == 0 &&
        !add_region(RegionKind::kEmpty, mapping.end - kStackBytes, mapping.begin, mapping.protection))
        return false;
    return add_content(mapping.begin, mapping.end, mapping.protection);
}

} // namespace

bool note_memory() {
    char* next = nullptr;
    const int pages = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    bool good = pages >= 0 ? read_maps(next) : fail_last("open its own page map");
    while (good && *next) {
        char* line = next;
        next = strchrnul(line, '\n');
        if (*next)
            *next++ = 0;
        Mapping mapping{};
        good = parse(line, mapping) && add_mapping(mapping, pages);
    }
    close(pages);
    return good;
}

} // namespace hrun::freeze
