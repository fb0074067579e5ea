// SPDX-License-Identifier: Apache-2.0
// The keeper of a machine that starts while its container is still being made, until it has it: docs/head-start.md.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "base/directory.h"
#include "monitor/keeper.h"

namespace hrun::monitor {

namespace {

using Clock = std::chrono::steady_clock;

// For the container to be made. A pull may take longer: then it has a machine of its own.
constexpr std::chrono::seconds kPatience{10};
// Of the directory of a machine that nobody can take any more.
constexpr std::string_view kGoing = ".going";

// False when somebody has taken it.
bool withdraw(const std::string& path) {
    return rename(path.c_str(), (path + std::string(kGoing)).c_str()) == 0;
}

int milliseconds_until(Clock::time_point deadline) {
    if (deadline == Clock::time_point::max())
        return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::max<long long>(left, 0));
}

enum class Visit { kNone, kBegun, kOver };

// The client's first byte says that all is there; it is for the monitor to read.
Visit look_at(int client) {
    char byte;
    const ssize_t count = recv(client, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0)
        return Visit::kBegun;
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? Visit::kNone : Visit::kOver;
}

} // namespace

int Keeper::run_ahead(Fd client, const Monitor& waiting, const Monitor& monitor, const Monitor& wait) {
    const std::string place = container_.path;
    first_client_ = std::move(client);
    auto done = prepare();
    if (done && !first_client_.valid())
        done = Error{EINVAL, "begin without a client"};
    if (done)
        done = start_waiting(waiting);
    if (done)
        done = await_container();
    if (done)
        return live(std::move(done), monitor, wait);
    give_up_waiting(done.error());
    std::error_code ignored;
    for (const std::string& path : {place, place + std::string(kGoing)}) // not where it has been taken to
        std::filesystem::remove_all(path, ignored);
    return 1;
}

// An error when none comes. A machine that fails meanwhile is not missed: the container then has another one.
Result<void> Keeper::await_container() {
    const auto deadline = Clock::now() + kPatience;
    bool is_taken = false;
    for (;;) {
        const Visit visit = look_at(first_client_.get());
        if (visit == Visit::kOver || stopping_)
            return Error{ECANCELED, "wait for a container"};
        if (visit == Visit::kBegun && (ready_ || !monitor_.valid()))
            return take_begun();
        const bool is_late = Clock::now() >= deadline;
        if (visit == Visit::kNone && !is_taken && is_late && withdraw(container_.path))
            return Error{ETIMEDOUT, "wait for a container"};
        is_taken = is_taken || is_late;
        HRUN_TRY(watch_ahead(visit == Visit::kNone, is_taken ? Clock::time_point::max() : deadline));
    }
}

// Of whatever comes first.
Result<void> Keeper::watch_ahead(bool for_client, Clock::time_point deadline) {
    pollfd sources[] = {{monitor_.valid() ? link_.get() : -1, POLLIN, 0},
                        {signals_.get(), POLLIN, 0},
                        {monitor_.get(), POLLIN, 0},
                        {for_client ? first_client_.get() : -1, POLLIN, 0}};
    if (poll(sources, std::size(sources), milliseconds_until(deadline)) < 0 && errno != EINTR)
        return Error::last("wait for a container");
    if (sources[0].revents && !take_message())
        link_.reset(); // its end is not far
    if (sources[1].revents)
        take_signal();
    if (sources[2].revents)
        end_waiting();
    return {};
}

Result<void> Keeper::take_begun() {
    auto path = path_of_directory(container_.directory.get());
    if (!path)
        return path.error();
    if (*path == container_.path)
        return Error{EPERM, "use " + *path + ": it is no container's"};
    pollfd ended{monitor_.get(), POLLIN, 0};
    if (monitor_.valid() && poll(&ended, 1, 0) > 0) // in this very moment
        end_waiting();
    return take_container(std::move(*path));
}

} // namespace hrun::monitor
