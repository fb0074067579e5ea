/* SPDX-License-Identifier: Apache-2.0
 *
 * The tiny init of --init: PID 1 of the container, with the command as its child.
 */
#ifndef HRUN_CONTAINER_INIT_H
#define HRUN_CONTAINER_INIT_H

/* Splits off the process that is to become the command and returns in it. The caller stays behind as init:
 * it passes every signal on, reaps every orphan, and exits as the command did. `terminal`: the command
 * becomes the foreground process group. Returns -1 with errno when it cannot split. */
int container_init_split(int terminal);

#endif
