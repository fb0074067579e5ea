// SPDX-License-Identifier: Apache-2.0
#include "monitor/pool_place.h"

#include <climits>
#include <cstdio>
#include <string_view>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/directory.h"
#include "base/unix_socket.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// From the move to the connection, which whoever takes a machine makes at once.
constexpr auto kVisitLimit = 10s;

std::string descriptor_path(int fd) {
    return "/proc/self/fd/" + std::to_string(fd);
}

} // namespace

Result<PoolPlace> PoolPlace::watch(int directory, int lock, int control, std::string path) {
    if (!path.ends_with(kMaking))
        return Error{EINVAL, "wait in " + path};
    PoolPlace place(directory, lock, control, std::move(path));
    place.inotify_.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!place.inotify_.valid() || inotify_add_watch(place.inotify_.get(), descriptor_path(directory).c_str(),
                                                     IN_MOVE_SELF | IN_DELETE) < 0)
        return Error::last("watch " + place.path_);
    return place;
}

Result<void> PoolPlace::open() {
    const std::string name = path_.substr(0, path_.size() - std::string_view(kMaking).size());
    if (rename(path_.c_str(), name.c_str()) < 0)
        return Error::last("rename " + path_);
    path_ = name;
    open_ = true;
    return {};
}

int PoolPlace::timeout_ms() const {
    if (!moved_ || client_.valid())
        return -1;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(late_ - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
}

// Before the directory is moved there is nobody to be served: who connects then is let wait.
PoolPlace::News PoolPlace::look() {
    take_changes();
    struct stat st;
    if (fstat(lock_, &st) < 0 || st.st_nlink == 0)
        return News::kOver; // somebody has removed it
    if (client_.valid())
        return look_at_client();
    if (auto client = accept_unix(control_)) {
        client_ = std::move(*client);
        return look_at_client();
    }
    return moved_ && Clock::now() >= late_ ? News::kOver : News::kNone;
}

void PoolPlace::take_changes() {
    alignas(inotify_event) char events[4096];
    while (read(inotify_.get(), events, sizeof events) > 0) {
    }
    auto now = path();
    if (!open_ || moved_ || !now || *now == path_)
        return;
    moved_ = true;
    late_ = Clock::now() + kVisitLimit;
}

// Its first byte says that all is there; it is for the monitor to read.
PoolPlace::News PoolPlace::look_at_client() {
    char byte;
    const ssize_t count = recv(client_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0)
        return moved_ ? News::kContainer : News::kOver;
    if (count < 0 && errno == EAGAIN)
        return News::kNone;
    client_.reset();
    return open_ && !moved_ ? News::kNone : News::kOver;
}

Result<std::string> PoolPlace::path() const {
    return path_of_directory(directory_);
}

} // namespace hrun::monitor
