/* SPDX-License-Identifier: Apache-2.0
 * The first user-space program of a boot that is measured: says so and restarts the machine, which ends QEMU
 * (-no-reboot). A kernel that panics on its way hangs instead, so that no failure looks like a fast boot. */
#include <sys/reboot.h>
#include <unistd.h>

int main(void) {
    static const char marker[] = "hrun-bench: user space\n";
    if (write(STDOUT_FILENO, marker, sizeof(marker) - 1) < 0)
        return 1;
    return reboot(RB_AUTOBOOT);
}
