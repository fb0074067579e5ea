// SPDX-License-Identifier: Apache-2.0
#include "monitor/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <string>

#include "base/directory.h"

namespace hrun::monitor {

Fd open_unplanted(int directory, const char* name) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    Fd file(openat(directory, name, kFlags, 0644));
    struct stat st;
    if (file.valid() && fstat(file.get(), &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
        return file;
    unlinkat(directory, name, 0);
    return Fd(openat(directory, name, kFlags | O_EXCL, 0644));
}

Result<void> replace_file(int directory, const char* name, const char* unfinished, std::string_view text,
                          bool durable) {
    const std::string what = std::string("write ") + name;
    const Fd file = open_unplanted(directory, unfinished);
    if (!file.valid())
        return Error::last(what);
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size()))
        return written < 0 ? Error::last(what) : Error{ENOSPC, what};
    if (ftruncate(file.get(), written) < 0)
        return Error::last(what);
    if (durable && fsync(file.get()) < 0)
        return Error::last(std::string("sync ") + name);
    if (renameat(directory, unfinished, directory, name) < 0)
        return Error::last(std::string("replace ") + name);
    return durable ? sync_directory(directory) : Result<void>();
}

} // namespace hrun::monitor
