// SPDX-License-Identifier: Apache-2.0
#include "monitor/confinement.h"

#include <unistd.h>

#include <cstdio>

#include "jail/filter.h"
#include "jail/landlock.h"
#include "jail/limits.h"
#include "jail/namespaces.h"
#include "jail/privileges.h"
#include "jail/root.h"
#include "jail/violation.h"
#include "monitor/keeper_link.h"
#include "monitor/settings.h"

namespace hrun::monitor {

namespace {

constexpr uint64_t kDescriptors = 2048; // 512 vsock connections, 128 clients, disks, queues
constexpr int kGuestOomScore = 300;

} // namespace

Result<void> Confinement::begin(uid_t user, gid_t group, bool guest_inside) {
    HRUN_TRY(jail::die_with_parent(report_));
    HRUN_TRY(jail::report_violations(report_, static_cast<uint32_t>(KeeperRequest::kViolation)));
    HRUN_TRY(jail::set_limits(kDescriptors));
    host_pid_ = jail::outer_pid();
    if (guest_inside)
        jail::set_oom_score(kGuestOomScore);
    if (refused_)
        return {};
    Result<void> mapped = user == 0 ? Result<void>() : jail::map_own_ids(user, group);
    if (mapped)
        mapped = jail::make_mounts_private();
    own_mounts_ = static_cast<bool>(mapped);
    if (!mapped)
        refused_ = mapped.error();
    return {};
}

Result<void> Confinement::enter() {
    if (std::exchange(entered_, true))
        return {};
    const Result<void> root = enter_root();
    HRUN_TRY(jail::drop_privileges());
    HRUN_TRY(jail::become_opaque());
    const Result<void> files = jail::confine_files_to_working_directory();
    if (!root)
        dprintf(STDERR_FILENO,
                "hrun-vmm: this host refuses namespaces (%s): the monitor is held by its system-call filter "
                "and %s\n",
                root.error().message().c_str(),
                files ? "Landlock alone" : "nothing else: it can open its user's files");
    return {};
}

Result<void> Confinement::enter_root() {
    if (refused_)
        return *refused_;
    return jail::confine_to_working_directory(kSettings);
}

std::function<void()> Confinement::thread_lock(jail::ThreadKind kind) const {
    return [filter = jail::Filter::of_thread(kind, getpid())] {
        if (auto installed = filter.install(); !installed) {
            dprintf(STDERR_FILENO, "hrun-vmm: %s\n", installed.error().message().c_str());
            _exit(1);
        }
    };
}

Result<void> Confinement::lock(jail::ThreadKind kind) {
    HRUN_TRY(enter());
    return jail::Filter::of_thread(kind, getpid()).install();
}

} // namespace hrun::monitor
