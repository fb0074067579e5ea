// SPDX-License-Identifier: Apache-2.0
// The directory in which a machine waits, as its keeper sees it (docs/pool.md): made under a name that nobody takes it by, called by its own once
// the machine is ready, moved to where containers are by the one that takes it, and connected to by that one.
#pragma once

#include <poll.h>

#include <chrono>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::monitor {

class PoolPlace {
  public:
    // What has come of the waiting.
    enum class News { kNone, kContainer, kOver };

    // `directory`, `lock` and the listening `control` stay the caller's; the path ends in kMaking.
    static Result<PoolPlace> watch(int directory, int lock, int control, std::string path);

    // The machine is ready: the directory gets the name under which it is found.
    Result<void> open();
    // What is to be polled for, and for how long; look() says what it means.
    pollfd changes() const { return {inotify_.get(), POLLIN, 0}; }
    pollfd visitor() const { return {client_.valid() ? client_.get() : control_, POLLIN, 0}; }
    int timeout_ms() const;
    // kContainer: the directory is a container's, and client() waits to be served. kOver: nobody will come.
    News look();
    Fd take_client() { return std::move(client_); }
    bool is_open() const { return open_; }
    bool is_moved() const { return moved_; }
    // Where the directory is now.
    Result<std::string> path() const;

    static constexpr const char* kMaking = ".making";

  private:
    PoolPlace(int directory, int lock, int control, std::string path)
        : directory_(directory), lock_(lock), control_(control), path_(std::move(path)) {}
    void take_changes();
    News look_at_client();

    int directory_;
    int lock_;
    int control_;
    std::string path_;
    Fd inotify_;
    Fd client_;
    bool open_ = false;
    bool moved_ = false;                         // by whoever takes it
    std::chrono::steady_clock::time_point late_; // once it is moved
};

} // namespace hrun::monitor
