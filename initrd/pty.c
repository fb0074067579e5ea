/* SPDX-License-Identifier: Apache-2.0 */
#include "pty.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "cleanup.h"
#include "protocol.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#define CONTROL_D 4

/* A process in the container may have put anything at /dev/pts/ptmx: only a devpts will do. */
static int check_devpts(int master, struct err* err) {
    struct statfs status;
    if (fstatfs(master, &status) < 0)
        return err_system(err, "look at /dev/pts/ptmx");
    if (status.f_type != DEVPTS_SUPER_MAGIC)
        return err_set(err, HRUN_ERROR_START, 0, "/dev/pts/ptmx of the container is not a terminal device");
    return 0;
}

int pty_open(int* master, struct err* err) {
    int unlock = 0;
    owned_fd opened = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (opened < 0)
        return err_system(err, "open a terminal");
    if (check_devpts(opened, err) < 0)
        return -1;
    if (ioctl(opened, TIOCSPTLCK, &unlock) < 0)
        return err_system(err, "unlock a terminal");
    /* By descriptor, not by a path in the container. */
    int slave = ioctl(opened, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return err_system(err, "open the container's side of a terminal");
    *master = take_fd(&opened);
    return slave;
}

int pty_control(int slave, struct err* err) {
    return ioctl(slave, TIOCSCTTY, 0) < 0 ? err_system(err, "take the controlling terminal") : 0;
}

int pty_resize(int master, uint16_t rows, uint16_t columns) {
    const struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(master, TIOCSWINSZ, &size);
}

char pty_eof_character(int master) {
    struct termios settings;
    if (tcgetattr(master, &settings) < 0 || settings.c_cc[VEOF] == 0)
        return CONTROL_D;
    return (char)settings.c_cc[VEOF];
}
