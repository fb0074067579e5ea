/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel_file.h"
#include "mounts.h"

/* The kernel opens /dev/console as 0 to 2, unless there is none. */
static int use_standard_streams(struct err* err) {
    while (fcntl(STDERR_FILENO, F_GETFD) < 0)
        if (open("/", O_PATH | O_DIRECTORY) < 0)
            return err_system(err, "open /");
    return 0;
}

int boot_process(struct err* err) {
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    umask(0);
    sigaction(SIGPIPE, &ignore, NULL);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return use_standard_streams(err);
}

int boot_mounts(struct err* err) {
    if (mount_at("proc", "proc", "nosuid,nodev,noexec", "/proc", err) < 0 ||
        mount_at("sysfs", "sysfs", "nosuid,nodev,noexec", "/sys", err) < 0)
        return -1;
    return mount_at("devtmpfs", "devtmpfs", "nosuid", "/dev", err);
}

/* A process may reserve more than there is, as in a container beside others on a large host: the kernel's guess would measure
 * it by this small machine's memory. What is used and not there is the OOM killer's affair. */
int boot_parameters(struct err* err) {
    const char* overcommit = "/proc/sys/vm/overcommit_memory";
    return kernel_file_write(AT_FDCWD, overcommit, "1") < 0 ? err_system(err, "write %s", overcommit) : 0;
}
