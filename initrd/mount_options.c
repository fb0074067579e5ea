/* SPDX-License-Identifier: Apache-2.0 */
#include "mount_options.h"

#include <linux/mount.h>
#include <string.h>

struct attribute {
    const char* name;
    uint64_t clear;
    uint64_t set;
};

static const struct attribute attributes[] = {
    {"defaults", 0, 0},
    {"rw", MOUNT_ATTR_RDONLY, 0},
    {"ro", 0, MOUNT_ATTR_RDONLY},
    {"suid", MOUNT_ATTR_NOSUID, 0},
    {"nosuid", 0, MOUNT_ATTR_NOSUID},
    {"dev", MOUNT_ATTR_NODEV, 0},
    {"nodev", 0, MOUNT_ATTR_NODEV},
    {"exec", MOUNT_ATTR_NOEXEC, 0},
    {"noexec", 0, MOUNT_ATTR_NOEXEC},
    {"atime", MOUNT_ATTR__ATIME, MOUNT_ATTR_RELATIME},
    {"relatime", MOUNT_ATTR__ATIME, MOUNT_ATTR_RELATIME},
    {"noatime", MOUNT_ATTR__ATIME, MOUNT_ATTR_NOATIME},
    {"strictatime", MOUNT_ATTR__ATIME, MOUNT_ATTR_STRICTATIME},
    {"diratime", MOUNT_ATTR_NODIRATIME, 0},
    {"nodiratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
    /* A new mount is private in the container's own namespace, whichever of these is said. */
    {"private", 0, 0},
    {"rprivate", 0, 0},
};

static const char* const refused[] = {"bind", "rbind", "remount", "shared", "rshared", "slave", "rslave"};

static const struct attribute* find_attribute(const char* name) {
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        if (strcmp(attributes[i].name, name) == 0)
            return &attributes[i];
    return NULL;
}

static bool is_refused(const char* name) {
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (strcmp(refused[i], name) == 0)
            return true;
    return false;
}

/* Copies one item up to a comma into `key`. False when it is too long. */
static bool take_item(const char** cursor, struct mount_option* option) {
    size_t length = strcspn(*cursor, ",");
    bool fits = length < sizeof(option->key);
    size_t kept = fits ? length : sizeof(option->key) - 1;
    memcpy(option->key, *cursor, kept);
    option->key[kept] = '\0';
    *cursor += length;
    if (**cursor == ',')
        (*cursor)++;
    return fits;
}

static void classify(struct mount_option* option) {
    const struct attribute* attribute = find_attribute(option->key);
    if (attribute) {
        option->type = MOUNT_OPTION_ATTRIBUTE;
        option->clear = attribute->clear;
        option->set = attribute->set;
        return;
    }
    if (is_refused(option->key)) {
        option->type = MOUNT_OPTION_BAD;
        return;
    }
    option->type = MOUNT_OPTION_DATA;
    char* equals = strchr(option->key, '=');
    if (equals) {
        *equals = '\0';
        option->value = equals + 1;
    }
}

bool mount_option_next(const char** cursor, struct mount_option* option) {
    while (**cursor == ',')
        (*cursor)++;
    if (**cursor == '\0')
        return false;
    *option = (struct mount_option){.type = MOUNT_OPTION_BAD};
    if (take_item(cursor, option))
        classify(option);
    return true;
}
