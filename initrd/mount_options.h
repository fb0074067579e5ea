/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of mount(8) ("nosuid,mode=1777,ro") taken apart for the mount API of Linux 5.2 and later.
 */
#ifndef HRUN_MOUNT_OPTIONS_H
#define HRUN_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOUNT_OPTION_SIZE 256

enum mount_option_type {
    MOUNT_OPTION_ATTRIBUTE, /* of the mount: clear `clear`, then set `set` */
    MOUNT_OPTION_DATA,      /* of the file system: `key`, and `value` unless NULL */
    MOUNT_OPTION_BAD,       /* too long, or an option that makes no sense here, in `key` */
};

struct mount_option {
    enum mount_option_type type;
    uint64_t clear; /* MOUNT_ATTR_* */
    uint64_t set;
    char key[MOUNT_OPTION_SIZE];
    const char* value; /* into `key`'s array */
};

/* Takes the next option at `cursor`. Returns false at the end. */
bool mount_option_next(const char** cursor, struct mount_option* option);

#endif
