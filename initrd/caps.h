/* SPDX-License-Identifier: Apache-2.0
 *
 * Capabilities (capabilities(7)) as Docker gives them: the mask bounds them, uid 0 has all of the mask,
 * any other user has none until it executes something with file capabilities; none is inheritable.
 */
#ifndef HRUN_CAPS_H
#define HRUN_CAPS_H

#include <stdint.h>

#include "err.h"

/* Takes every capability outside `mask` from the bounding set. Before the user changes. */
int caps_bound(uint64_t mask, struct err* err);

/* Sets permitted and effective to the bounded mask for uid 0, to nothing for others. After the user changed. */
int caps_apply(uint64_t mask, uint32_t uid, struct err* err);

#endif
