/* SPDX-License-Identifier: Apache-2.0
 *
 * PID 1 never dies silently: what cannot go on says why on the console and ends in a kernel panic, which
 * (panic=-1) stops the machine at once.
 */
#ifndef HRUN_FATAL_H
#define HRUN_FATAL_H

#include "err.h"

/* Prints "hrun-agent: " and the error on the console and ends PID 1. */
_Noreturn void fatal(const struct err* err);

/* Makes a crash of the agent itself say so. */
void fatal_catch_crashes(void);

#endif
