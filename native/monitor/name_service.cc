// SPDX-License-Identifier: Apache-2.0
#include "monitor/name_service.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "jail/filter.h"
#include "jail/landlock.h"
#include "jail/limits.h"
#include "jail/privileges.h"
#include "jail/root.h"
#include "monitor/egress_gate.h"
#include "names/resolver.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr char kLock[] = "/resolver", kServers[] = "/servers";
constexpr auto kLook = 5s;
constexpr time_t kIdle = 10; // seconds, in which a container that is being started comes to its record
constexpr uint64_t kDescriptors = 1024;

Result<Fd> take_service(const std::string& network) {
    Fd lock(open((network + kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock.valid() || flock(lock.get(), LOCK_EX | LOCK_NB) < 0)
        return Error{errno == EWOULDBLOCK ? EBUSY : errno, "lock resolver"};
    const std::string pid = std::to_string(getpid());
    if (ftruncate(lock.get(), 0) < 0 || pwrite(lock.get(), pid.data(), pid.size(), 0) < 0)
        return Error::last("write resolver");
    return lock;
}

// The directory of all networks is all that there is: a machine may be in several. The host's network is what it is for.
Result<void> enter_jail() {
    HRUN_TRY(jail::set_limits(kDescriptors));
    const bool own_mounts =
        unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) == 0 && jail::make_mounts_private();
    const Result<void> root =
        own_mounts ? jail::confine_to_working_directory() : Error::last("unshare mounts");
    HRUN_TRY(jail::drop_privileges());
    HRUN_TRY(jail::become_opaque());
    const Result<void> files = jail::confine_files_to_working_directory();
    if (!root && !files)
        dprintf(STDERR_FILENO, "hrun-vmm: %s: the name server is held by its system-call filter alone\n",
                root.error().message().c_str());
    return jail::Filter::of_thread(jail::ThreadKind::kNameServer, getpid()).install();
}

// Ends the service when nobody needs it: who is about to start a container has touched `servers` under its lock.
class Leaving {
  public:
    Leaving(EventLoop& loop, std::string network, Fd lock)
        : loop_(loop), network_(std::move(network)), lock_(std::move(lock)) {
        wait();
    }

  private:
    void wait() {
        timer_ = loop_.after(kLook, [this] { look(); });
    }

    void look() {
        struct stat st;
        servers_.reset(open((network_ + kServers).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!servers_.valid())
            return loop_.stop(); // the network is gone
        if (!names::read_stations(network_).empty() || flock(servers_.get(), LOCK_EX | LOCK_NB) < 0 ||
            fstat(servers_.get(), &st) < 0 || time(nullptr) - st.st_mtime < kIdle) {
            servers_.reset();
            return wait();
        }
        lock_.reset();
        loop_.stop();
    }

    EventLoop& loop_;
    std::string network_;
    Fd lock_;
    Fd servers_; // locked from the decision to the end
    Timer timer_;
};

} // namespace

Result<void> serve_names(const char* directory, const char* address, const char* table) {
    const std::string path = directory, network = path.substr(path.rfind('/') + 1);
    if (chdir((path + "/..").c_str()) < 0)
        return Error::last("enter " + path);
    auto gate = EgressGate::start(table); // before there is anything that it should not have
    if (!gate)
        return gate.error();
    auto lock = take_service(network);
    if (!lock)
        return lock.error();
    auto loop = EventLoop::create();
    if (!loop)
        return loop.error();
    auto resolver =
        names::Resolver::create(**loop, address, network, [&gate](const auto& id, const auto& found) {
            return gate->allow(id, found);
        });
    if (!resolver)
        return resolver.error();
    HRUN_TRY((*resolver)->start());
    HRUN_TRY(enter_jail());
    const Leaving leaving(**loop, network, std::move(*lock));
    dprintf(STDOUT_FILENO, "ready\n");
    close(STDOUT_FILENO);
    return (*loop)->run();
}

} // namespace hrun::monitor
