// SPDX-License-Identifier: Apache-2.0
// capabilities(7), prctl(2).
#include "jail/privileges.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "base/fd.h"

namespace hrun::jail {

namespace {

constexpr unsigned long kNoRootPowers = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                        SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                        SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

bool may_change_bounds() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & 1u << CAP_SETPCAP);
}

// Without CAP_SETPCAP, as for an ordinary user on the host itself, the bounds stay, and no_new_privs alone keeps execve
// from giving anything.
Result<void> drop_bounds() {
    if (!may_change_bounds())
        return {};
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return Error::last("drop a capability");
    if (prctl(PR_SET_SECUREBITS, kNoRootPowers, 0, 0, 0) < 0)
        return Error::last("take root's powers away");
    return {};
}

} // namespace

Result<void> drop_privileges(uint64_t kept) {
    HRUN_TRY(drop_bounds());
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const auto low = static_cast<uint32_t>(kept), high = static_cast<uint32_t>(kept >> 32);
    const __user_cap_data_struct left[2]{{low, low, 0}, {high, high, 0}};
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
        syscall(SYS_capset, &header, left) < 0)
        return Error::last("drop capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return Error::last("set no_new_privs");
    return {};
}

Result<void> die_with_parent(int lifeline) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return Error::last("die with the parent");
    pollfd line{lifeline, 0, 0};
    if (poll(&line, 1, 0) > 0 && (line.revents & POLLHUP))
        raise(SIGKILL);
    return {};
}

Result<void> become_opaque() {
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return Error::last("forbid core dumps");
    return {};
}

void set_oom_score(int adjustment) {
    const Fd file(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    if (file.valid())
        dprintf(file.get(), "%d", adjustment);
}

} // namespace hrun::jail
