// SPDX-License-Identifier: Apache-2.0
#include "base/sparse_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace hrun {

namespace {

// Copies bytes [start, end) through memory, for file systems without copy_file_range.
Result<void> copy_range_buffered(int from, int to, off_t start, off_t end) {
    std::string buffer(static_cast<size_t>(std::min<off_t>(end - start, 1 << 20)), '\0');
    while (start < end) {
        ssize_t got = ::pread(
            from, buffer.data(),
            static_cast<size_t>(std::min<off_t>(end - start, static_cast<off_t>(buffer.size()))), start);
        if (got < 0)
            return Error::last("read");
        if (got == 0)
            return {}; // truncated meanwhile: the rest is a hole of the copy
        for (ssize_t put = 0; put < got;) {
            ssize_t n = ::pwrite(to, buffer.data() + put, static_cast<size_t>(got - put), start + put);
            if (n < 0)
                return Error::last("write");
            put += n;
        }
        start += got;
    }
    return {};
}

Result<void> copy_range(int from, int to, off_t start, off_t end) {
    while (start < end) {
        off_t in = start, out = start;
        ssize_t n = ::copy_file_range(from, &in, to, &out, static_cast<size_t>(end - start), 0);
        if (n < 0 && (errno == EXDEV || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL))
            return copy_range_buffered(from, to, start, end);
        if (n < 0)
            return Error::last("copy");
        if (n == 0)
            return {};
        start += n;
    }
    return {};
}

} // namespace

Result<void> each_data_range(int file, uint64_t bytes,
                             const std::function<Result<void>(off_t, off_t)>& action) {
    const auto size = static_cast<off_t>(bytes);
    for (off_t begin = 0, end = 0; begin < size; begin = end) {
        begin = ::lseek(file, begin, SEEK_DATA);
        if (begin < 0 && errno == ENXIO)
            break; // nothing but a hole is left
        end = begin < 0 ? -1 : ::lseek(file, begin, SEEK_HOLE);
        if (end < 0)
            return Error::last("find data");
        HRUN_TRY(action(begin, std::min(end, size)));
    }
    return {};
}

Result<void> copy_sparse(int from, int to) {
    if (::ioctl(to, FICLONE, from) == 0)
        return {};
    struct stat st;
    if (::fstat(from, &st) < 0)
        return Error::last("stat");
    if (::ftruncate(to, st.st_size) < 0)
        return Error::last("set size");
    return each_data_range(from, static_cast<uint64_t>(st.st_size),
                           [from, to](off_t begin, off_t end) { return copy_range(from, to, begin, end); });
}

} // namespace hrun
