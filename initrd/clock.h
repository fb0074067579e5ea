/* SPDX-License-Identifier: Apache-2.0
 *
 * What a machine that was just booted, or copied from a template, cannot know by itself.
 */
#ifndef HRUN_CLOCK_H
#define HRUN_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Sets the wall clock, in nanoseconds since the epoch. */
int clock_set(uint64_t time_ns, struct err* err);

/* Gives the kernel's random number generator `length` bytes of full entropy and has it reseed. */
int entropy_add(const uint8_t* bytes, size_t length, struct err* err);

#endif
