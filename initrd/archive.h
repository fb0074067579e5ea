/* SPDX-License-Identifier: Apache-2.0
 *
 * The archive service: the container's files for the host, by the agent itself, for an image need not have a tar. Each
 * request is a child of the agent's with few rights, which no process of the container can see.
 */
#ifndef HRUN_ARCHIVE_H
#define HRUN_ARCHIVE_H

#include "archive_view.h"
#include "container.h"
#include "found_file.h"
#include "start_request.h"
#include "tar_unpack.h"

struct archive {
    const struct container* container;
    const struct start_request* request;
    struct archive_view view;
    struct found_file file; /* what it is about: GET's, STAT's or the directory of PUT */
    struct tar_owner owner; /* of what PUT makes */
};

/* Finds what the request is about, in the process that is to carry it out. `container` and `request` must stay. */
int archive_open(struct archive* archive, const struct container* container,
                 const struct start_request* request, struct err* err);

/* Carries it out between standard input and output. */
int archive_serve(struct archive* archive, struct err* err);

#endif
