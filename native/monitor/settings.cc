// SPDX-License-Identifier: Apache-2.0
#include "monitor/settings.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

namespace hrun::monitor {

Result<std::string> read_setting(int directory, const char* name, size_t limit) {
    const Fd settings(openat(directory, kSettings, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!settings.valid())
        return Error::last(std::string("open ") + kSettings);
    const Fd file(openat(settings.get(), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat st;
    if (!file.valid() || fstat(file.get(), &st) < 0)
        return Error::last(std::string("read ") + name);
    if (!S_ISREG(st.st_mode))
        return Error{EINVAL, std::string("read ") + name + ", which is not a regular file"};
    if (static_cast<uint64_t>(st.st_size) > limit)
        return Error{EFBIG, std::string("read ") + name};
    std::string bytes(static_cast<size_t>(st.st_size), '\0');
    if (pread(file.get(), bytes.data(), bytes.size(), 0) != st.st_size)
        return Error::last(std::string("read ") + name);
    return bytes;
}

} // namespace hrun::monitor
