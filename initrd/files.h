/* SPDX-License-Identifier: Apache-2.0
 *
 * Files the host made for this container (/etc/hosts, /etc/hostname, /etc/resolv.conf): each is bound over
 * its place, so that the image's own file stays what it was.
 */
#ifndef HRUN_FILES_H
#define HRUN_FILES_H

#include "configure.h"
#include "err.h"

/* Writes every HRUN_CONF_FILE (mode 0644, in the guest's memory) and binds it over its target in `root`. */
int files_bind(int root, const struct configure* configure, struct err* err);

/* Of a further container in the machine: binds the files of the first's that tell of network and names, the very same, over their
 * targets in `root`, but for those where `own` mounts something. */
int files_share(int root, const struct configure* first, const struct configure* own, struct err* err);

/* In the agent: gives files that were bound, or are to be, the contents of `wanted`, unless the container has written to them. */
int files_renew(struct configure* configure, struct file_requests* wanted, struct err* err);

#endif
