/* SPDX-License-Identifier: Apache-2.0
 *
 * The terminal of a session with HRUN_START_TTY.
 */
#ifndef HRUN_PTY_H
#define HRUN_PTY_H

#include <stdint.h>

#include "err.h"

/* In the container: opens a new terminal of its /dev/pts and returns the slave; `master` gets the other end. */
int pty_open(int* master, struct err* err);

/* Makes the slave this session leader's controlling terminal. */
int pty_control(int slave, struct err* err);

/* Sets the window size; the foreground processes get SIGWINCH. */
int pty_resize(int master, uint16_t rows, uint16_t columns);

/* The character that means end of file on this terminal. */
char pty_eof_character(int master);

#endif
