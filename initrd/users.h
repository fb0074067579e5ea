/* SPDX-License-Identifier: Apache-2.0
 *
 * Users and groups as the image's own passwd and group files give them, by Docker's rules. The files are
 * hostile: a line that does not parse is no entry, never an entry with id 0.
 */
#ifndef HRUN_USERS_H
#define HRUN_USERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "string_list.h"

#define USERS_MAX_FILE (4u << 20) /* bytes of /etc/passwd or /etc/group that are read */
#define USERS_MAX_GROUPS 65536    /* NGROUPS_MAX of Linux */

/* A passwd or group file in memory; text NULL and length 0 stand for a missing one. */
struct user_file {
    const char* text;
    size_t length;
};

struct identity {
    uint32_t uid;
    uint32_t gid;
    gid_t* groups; /* supplementary, the primary group first */
    size_t group_count;
    char* home; /* of the passwd entry, "/" without one */
};

/* Resolves "user", "uid", "user:group" or "uid:gid" ("" is root) plus additional groups by name or number.
 * A name must be in its file; a number need not. Supplementary groups of the group file count only when no
 * group is given. Fails with kind USER. The result is to be freed, whatever it is. */
int users_resolve(struct user_file passwd, struct user_file group, const char* spec,
                  const struct string_list* additional, struct identity* identity, struct err* err);

void identity_free(struct identity* identity);

#endif
