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

std::string unfinished(const std::string& path) {
    return path + ".unfinished";
}

Result<Fd> write_unfinished(const std::string& path, const std::string& text) {
    const std::string what = "write " + path;
    if (mkdir(parent_of(path).c_str(), 0700) < 0 && errno != EEXIST)
        return Error::last(what);
    Fd file(open(unfinished(path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    const ssize_t written = file.valid() ? write(file.get(), text.data(), text.size()) : -1;
    if (written != static_cast<ssize_t>(text.size()))
        return written < 0 ? Error::last(what) : Error{ENOSPC, what};
    return file;
}

Result<void> lock_and_name(int file, const std::string& path) {
    if (flock(file, LOCK_EX | LOCK_NB) < 0 || rename(unfinished(path).c_str(), path.c_str()) < 0)
        return Error::last("write " + path);
    return {};
}

} // namespace

// Whole and locked before it has its name.
Result<LiveRecord> LiveRecord::create(const std::string& path, const std::string& text) {
    auto file = write_unfinished(path, text);
    if (!file)
        return file.error();
    HRUN_TRY(lock_and_name(file->get(), path));
    LiveRecord record;
    record.file_ = std::move(*file);
    record.path_ = path;
    return record;
}

Result<Fd> LiveRecord::create_for_other(const std::string& path, const std::string& text) {
    if (auto written = write_unfinished(path, text); !written)
        return written;
    Fd file(open(unfinished(path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file.valid())
        return Error::last("open " + path);
    HRUN_TRY(lock_and_name(file.get(), path));
    return file;
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
