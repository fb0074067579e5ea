// SPDX-License-Identifier: Apache-2.0
#include "boot/x86_64/image_file.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace hrun::boot {

Result<ImageFile> ImageFile::open(const ImageSource& source) {
    const std::string& path = source.path;
    Fd fd(source.fd >= 0 ? fcntl(source.fd, F_DUPFD_CLOEXEC, 0)
                         : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd.valid())
        return Error::last("open " + path);
    struct stat st;
    if (fstat(fd.get(), &st) < 0)
        return Error::last("stat " + path);
    if (!S_ISREG(st.st_mode))
        return Error{EINVAL, "load " + path + ", which is not a regular file"};
    return ImageFile(path, std::move(fd), static_cast<uint64_t>(st.st_size));
}

Result<void> ImageFile::read(uint64_t offset, void* to, uint64_t size) const {
    if (offset > size_ || size > size_ - offset)
        return Error{ENOEXEC, "read past the end of " + path_};
    auto* out = static_cast<char*>(to);
    while (size > 0) {
        const ssize_t got = pread(fd_.get(), out, size, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return Error::last("read " + path_);
        if (got == 0)
            return Error{ENOEXEC, "read " + path_ + ", which became shorter"};
        out += got;
        offset += static_cast<uint64_t>(got);
        size -= static_cast<uint64_t>(got);
    }
    return {};
}

Result<void> ImageFile::load(uint64_t offset, const GuestMemory& memory, uint64_t address,
                             uint64_t size) const {
    if (size == 0)
        return {};
    std::byte* target = memory.contiguous(address, size);
    if (!target)
        return Error{ENOMEM, "load " + path_ + " into guest memory"};
    return read(offset, target, size);
}

} // namespace hrun::boot
