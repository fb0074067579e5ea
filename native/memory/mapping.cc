// SPDX-License-Identifier: Apache-2.0
#include "memory/mapping.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hrun {

Result<Mapping> Mapping::share(int fd, uint64_t offset, uint64_t size) {
    return map(fd, offset, size, MAP_SHARED);
}

// Without MAP_NORESERVE the host would set all of it aside at once, where it does not overcommit freely.
Result<Mapping> Mapping::copy_on_write(int fd, uint64_t offset, uint64_t size) {
    return map(fd, offset, size, MAP_PRIVATE | MAP_NORESERVE);
}

Result<Mapping> Mapping::map(int fd, uint64_t offset, uint64_t size, int flags) {
    const uint64_t page_mask = static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) - 1;
    if (size == 0 || ((offset | size) & page_mask) != 0)
        return Error{EINVAL, "map guest memory that is not whole pages"};
    struct stat st;
    if (fstat(fd, &st) < 0)
        return Error::last("stat guest memory");
    const auto file_size = static_cast<uint64_t>(st.st_size);
    if (offset > file_size || size > file_size - offset)
        return Error{EINVAL, "map guest memory past the end of its file"};
    void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, static_cast<off_t>(offset));
    if (data == MAP_FAILED)
        return Error::last("map guest memory");
    return Mapping(static_cast<std::byte*>(data), size);
}

Mapping::~Mapping() {
    if (data_)
        munmap(data_, size_);
}

} // namespace hrun
