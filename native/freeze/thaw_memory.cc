// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/prctl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>

#include "freeze/thawing.h"

namespace hrun::freeze {

namespace {

constexpr uint64_t kLowest = 0x10000; // vm.mmap_min_addr
constexpr uint64_t kAside = 0x100000; // for the kernel's pages, below this program
constexpr uint64_t kAsideEnd = 0x200000;
constexpr uint64_t kProgram = 0x400000;
constexpr uint64_t kMostWords = 1 << 20;
constexpr uint64_t kHighest = 0x7ffffffff000; // TASK_SIZE

uint64_t program_end() {
    return (reinterpret_cast<uint64_t>(sbrk(0)) + kPage - 1) / kPage * kPage;
}

void move_kernel_pages(uint64_t from, uint64_t size, uint64_t to) {
    if (mremap(reinterpret_cast<void*>(from), size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
               reinterpret_cast<void*>(to)) == MAP_FAILED)
        fail("move the kernel's pages");
}

// The kernel's pages lie to each other as they did in the image.
const Region* kernel_regions(const Region*& last) {
    const Region* first = nullptr;
    for (uint32_t i = 0; i < thawing.header.regions; ++i)
        if (thawing.regions[i].kind == RegionKind::kKernel) {
            first = first ? first : &thawing.regions[i];
            last = &thawing.regions[i];
        }
    return first;
}

void set_kernel_pages_aside() {
    const Region* last = nullptr;
    const Region* first = kernel_regions(last);
    if (!first)
        return;
    const uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
    for (const Region* each = first; each <= last; ++each)
        move_kernel_pages(vdso - (last->begin - each->begin), each->end - each->begin,
                          kAside + (each->begin - first->begin));
}

void unmap(uint64_t begin, uint64_t end) {
    if (munmap(reinterpret_cast<void*>(begin), end - begin) < 0)
        fail("unmap");
}

// The one that was opened last: a file's regions are one behind the other.
struct {
    const char* name = nullptr;
    int fd = -1;
} file;

int open_file(const Region& region) {
    const char* name = thawing.text + region.text;
    if (file.name && strcmp(file.name, name) == 0)
        return file.fd;
    if (file.fd >= 0)
        close(file.fd);
    file = {name, open(name, O_RDONLY | O_CLOEXEC)};
    struct stat st;
    if (file.fd < 0 || fstat(file.fd, &st) < 0)
        fail("open ", name);
    if (st.st_dev != region.device || st.st_ino != region.inode || st.st_ctim.tv_sec != region.changed_s ||
        st.st_ctim.tv_nsec != region.changed_ns)
        refuse("a file that it has mapped is another");
    return file.fd;
}

void map(const Region& region, int flags, int fd) {
    if (mmap(reinterpret_cast<void*>(region.begin), region.end - region.begin,
             static_cast<int>(region.protection), flags | MAP_FIXED, fd,
             fd < 0 ? 0 : static_cast<off_t>(region.offset)) == MAP_FAILED)
        fail("map memory");
}

void map_region(const Region& region, const Region* first_kernel) {
    switch (region.kind) {
    case RegionKind::kEmpty:
        return map(region, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    case RegionKind::kImage:
        return map(region, MAP_PRIVATE, thawing.image);
    case RegionKind::kFile:
        return map(region, MAP_PRIVATE, open_file(region));
    case RegionKind::kShared:
        return map(region, MAP_SHARED, thawing.shared);
    case RegionKind::kKernel:
        return move_kernel_pages(kAside + (region.begin - first_kernel->begin), region.end - region.begin,
                                 region.begin);
    }
    refuse("the image is damaged");
}

// The kernel reads a process's command line only from memory that is no file's.
void own_words(const Layout& layout) {
    static char page[kPage];
    const uint64_t end = layout.env_end;
    for (uint64_t at = layout.arg_start / kPage * kPage; at < end && end - at <= kMostWords; at += kPage) {
        auto* const words = reinterpret_cast<void*>(at);
        memcpy(page, words, kPage);
        if (mmap(words, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
            MAP_FAILED)
            fail("map memory");
        memcpy(words, page, kPage);
    }
}

// A kernel that has not what this needs shows the process as another, whose heap grows elsewhere.
void set_layout() {
    const Layout& layout = thawing.header.layout;
    prctl_mm_map map{};
    static_assert(sizeof layout == offsetof(prctl_mm_map, auxv));
    memcpy(&map, &layout, sizeof layout);
    map.exe_fd = ~0u; // it stays
    if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0) == 0)
        own_words(layout);
}

} // namespace

void check_regions() {
    uint64_t end = program_end();
    for (uint32_t i = 0; i < thawing.header.regions; ++i) {
        const Region& region = thawing.regions[i];
        if (region.begin < end || region.end <= region.begin || region.end > kHighest ||
            region.begin % kPage != 0 || region.end % kPage != 0 || region.offset % kPage != 0 ||
            (region.kind == RegionKind::kFile && region.text >= thawing.header.text_bytes))
            refuse("the image has memory that cannot be had");
        end = region.end;
    }
}

void replace_memory() {
    set_kernel_pages_aside();
    unmap(kLowest, kAside);
    unmap(kAsideEnd, kProgram);
    unmap(program_end(), kHighest);
    const Region* last = nullptr;
    const Region* first = kernel_regions(last);
    for (uint32_t i = 0; i < thawing.header.regions; ++i)
        map_region(thawing.regions[i], first);
    close(file.fd);
    unmap(kAside, kAsideEnd);
    set_layout();
}

} // namespace hrun::freeze
