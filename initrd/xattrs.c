/* SPDX-License-Identifier: Apache-2.0 */
#include "xattrs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "cleanup.h"

static bool begins(const char* name, const char* prefix) {
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

bool xattr_is_archived(const char* name) {
    if (begins(name, "trusted.overlay.") || begins(name, "user.overlay."))
        return false;
    return begins(name, "user.") || begins(name, "trusted.") || strcmp(name, "security.capability") == 0 ||
           strcmp(name, "system.posix_acl_access") == 0 || strcmp(name, "system.posix_acl_default") == 0;
}

static int add(struct pax_records* records, const struct found_file* file, const char* name) {
    char key[sizeof(XATTR_RECORD) + XATTR_NAME_MAX_BYTES];
    size_t length;
    owned_memory char* value = found_file_xattr(file, name, &length);
    if (!value)
        return errno == ENOMEM ? -1 : 0; /* it is gone, or not for us to read */
    snprintf(key, sizeof(key), XATTR_RECORD "%s", name);
    return pax_add(records, key, value, length);
}

int xattrs_add(struct pax_records* records, const struct found_file* file) {
    size_t length;
    owned_memory char* names = found_file_xattr_names(file, &length);
    for (const char* name = names; names && name < names + length; name += strlen(name) + 1)
        if (xattr_is_archived(name) && add(records, file, name) < 0)
            return -1;
    return 0;
}
