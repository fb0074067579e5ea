// SPDX-License-Identifier: Apache-2.0
#include "jail/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

namespace hrun::jail {

namespace {

// The rights of the first version of Landlock's interface, which every later one has.
constexpr uint64_t kHandled = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
constexpr uint64_t kGranted = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                              LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                              LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK;

} // namespace

Result<void> confine_files_to_working_directory() {
    const landlock_ruleset_attr attributes{kHandled};
    const Fd rules(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
    if (!rules.valid())
        return Error::last("use Landlock");
    const Fd directory(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    const landlock_path_beneath_attr beneath{kGranted, directory.get()};
    if (!directory.valid() ||
        syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ||
        syscall(SYS_landlock_restrict_self, rules.get(), 0) < 0)
        return Error::last("use Landlock");
    return {};
}

} // namespace hrun::jail
