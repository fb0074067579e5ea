/* SPDX-License-Identifier: Apache-2.0
 *
 * What an archive session sees as its root, and with which rights.
 */
#ifndef HRUN_ARCHIVE_VIEW_H
#define HRUN_ARCHIVE_VIEW_H

#include "container.h"
#include "err.h"
#include "protocol.h"

struct archive_view {
    bool running; /* the root is the container's own, with its mounts */
    int lower;    /* CHANGES: the image's files, -1 without any */
};

/* In a child of the agent that has no other purpose: makes the files that `operation` works on this process's root, and
 * drops every capability that it does not need. */
int archive_view_enter(const struct container* container, enum hrun_archive operation,
                       struct archive_view* view, struct err* err);

#endif
