// SPDX-License-Identifier: Apache-2.0
#include "jail/limits.h"

#include <sys/resource.h>

#include <algorithm>

namespace hrun::jail {

namespace {

Result<void> limit(__rlimit_resource_t resource, rlim_t most) {
    rlimit now{};
    if (getrlimit(resource, &now) < 0)
        return Error::last("read a resource limit");
    const rlim_t value = std::min(most, now.rlim_max);
    const rlimit next{value, value};
    if (setrlimit(resource, &next) < 0)
        return Error::last("set a resource limit");
    return {};
}

} // namespace

// Not the number of processes: it counts all of the user's, and the system-call filter knows no way to make one.
Result<void> set_limits(uint64_t descriptors) {
    HRUN_TRY(limit(RLIMIT_NOFILE, descriptors));
    HRUN_TRY(limit(RLIMIT_CORE, 0));
    HRUN_TRY(limit(RLIMIT_MEMLOCK, 0));
    return limit(RLIMIT_MSGQUEUE, 0);
}

} // namespace hrun::jail
