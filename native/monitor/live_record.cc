// SPDX-License-Identifier: Apache-2.0
#include "monitor/live_record.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace hrun::monitor {

namespace {

std::string parent_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == path.npos ? "" : path.substr(0, slash);
}

} // namespace

// Whole and locked before it has its name.
Result<LiveRecord> LiveRecord::create(const std::string& path, const std::string& text) {
    const std::string what = "write " + path, unfinished = path + ".unfinished";
    if (mkdir(parent_of(path).c_str(), 0700) < 0 && errno != EEXIST)
        return Error::last(what);
    LiveRecord record;
    record.file_.reset(open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!record.file_.valid() || flock(record.file_.get(), LOCK_EX | LOCK_NB) < 0)
        return Error::last(what);
    const ssize_t written = write(record.file_.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size()))
        return written < 0 ? Error::last(what) : Error{ENOSPC, what};
    if (rename(unfinished.c_str(), path.c_str()) < 0)
        return Error::last(what);
    record.path_ = path;
    return record;
}

void LiveRecord::clear() {
    [[maybe_unused]] const int done = ftruncate(file_.get(), 0);
}

void LiveRecord::remove() {
    if (!path_.empty())
        unlink(path_.c_str());
    forget();
}

std::string networks_directory(const std::string& container_directory) {
    const std::string containers = parent_of(container_directory);
    return containers.ends_with("/containers") ? parent_of(containers) + "/networks" : "";
}

Result<Fd> lock_networks(const std::string& container_directory) {
    const std::string path = networks_directory(container_directory) + "/.lock";
    Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    int done;
    do
        done = lock.valid() ? flock(lock.get(), LOCK_EX) : -1;
    while (done < 0 && lock.valid() && errno == EINTR);
    if (done < 0)
        return Error::last("lock " + path);
    return lock;
}

} // namespace hrun::monitor
