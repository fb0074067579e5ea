/* SPDX-License-Identifier: Apache-2.0
 * Where KVM is software, it emulates ring 0 and runs ring 3 at full speed. What a driver computes must cost nothing beside
 * what its device does, so the drivers of this guest run in ring 3, with all rights. */
#pragma once

#include <stdint.h>

#include "bench.h"

/* After interrupts_init(). */
void user_mode_init(void);
/* Runs `function` in ring 3, interrupts off, and returns when it has returned. */
void user_mode_call(void (*function)(struct run), struct run run);
