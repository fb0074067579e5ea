/* SPDX-License-Identifier: Apache-2.0 */
#include "tar_extension.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"
#include "xattrs.h"

static int broken(struct err* err, const char* what) {
    return err_set(err, HRUN_ERROR_FILE, EINVAL, "the archive is damaged: %s", what);
}

/* Takes the place of what was said before. */
static int set_text(char** to, const char* text, struct err* err) {
    char* copy = strdup(text);
    if (!copy)
        return err_system(err, "read the archive");
    free(*to);
    *to = copy;
    return 0;
}

static bool decimal(const char* text, uint64_t* value) {
    for (*value = 0; *text >= '0' && *text <= '9'; text++) {
        if (*value > (UINT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (uint64_t)(*text - '0');
    }
    return *text == '\0';
}

static int set_number(bool* has, uint64_t* to, const char* text, struct err* err) {
    *has = true;
    return text[0] && decimal(text, to) ? 0 : broken(err, "a record that is no number");
}

/* "-1.25" is a second and a quarter before 1970: -2 s and 0.75 s. */
static int set_time(struct tar_extension* extension, const char* text, struct err* err) {
    char* rest;
    bool negative = text[0] == '-';
    long long seconds = strtoll(text, &rest, 10);
    long nanoseconds = 0;
    if (*rest == '.') {
        long unit = 100000000;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            nanoseconds += unit * (*rest - '0');
    }
    if (rest == text || *rest != '\0')
        return broken(err, "a time that is none");
    if (negative && nanoseconds > 0) {
        seconds -= seconds > INT64_MIN ? 1 : 0;
        nanoseconds = 1000000000 - nanoseconds;
    }
    extension->has_mtime = true;
    extension->mtime = (struct timespec){.tv_sec = seconds, .tv_nsec = nanoseconds};
    return 0;
}

static int add_attribute(struct tar_extension* extension, const char* name, const char* value, size_t length,
                         struct err* err) {
    if (extension->attribute_count == TAR_MAX_ATTRIBUTES || strlen(name) > XATTR_NAME_MAX_BYTES)
        return broken(err, "too many or too long extended attributes");
    size_t size = (extension->attribute_count + 1) * sizeof(*extension->attributes);
    struct tar_attribute* attributes = realloc(extension->attributes, size);
    if (!attributes)
        return err_system(err, "read the archive");
    extension->attributes = attributes;
    struct tar_attribute added = {strdup(name), malloc(length + 1), length};
    attributes[extension->attribute_count++] = added;
    if (!added.name || !added.value)
        return err_system(err, "read the archive");
    memcpy(added.value, value, length);
    return 0;
}

static int set_sparse(struct tar_extension* extension, const char* key, const char* value, struct err* err) {
    if (strcmp(key, "name") == 0)
        return set_text(&extension->sparse_name, value, err);
    if (strcmp(key, "realsize") == 0)
        return set_number(&extension->has_real_size, &extension->real_size, value, err);
    if (strcmp(key, "major") == 0)
        extension->sparse_major = strcmp(value, "1") == 0;
    else if (strcmp(key, "minor") != 0)
        extension->sparse_other = true;
    return 0;
}

/* A record; `value` has a NUL behind it. Keys that say nothing of a file are passed over, as POSIX wants. */
static int read_record(struct tar_extension* extension, const char* key, const char* value, size_t length,
                       struct err* err) {
    static const char sparse[] = "GNU.sparse.";
    if (strncmp(key, XATTR_RECORD, strlen(XATTR_RECORD)) == 0)
        return add_attribute(extension, key + strlen(XATTR_RECORD), value, length, err);
    if (strlen(value) != length)
        return broken(err, "a record with a NUL");
    if (strcmp(key, "path") == 0)
        return set_text(&extension->name, value, err);
    if (strcmp(key, "linkpath") == 0)
        return set_text(&extension->link, value, err);
    if (strcmp(key, "size") == 0)
        return set_number(&extension->has_size, &extension->size, value, err);
    if (strcmp(key, "uid") == 0)
        return set_number(&extension->has_uid, &extension->uid, value, err);
    if (strcmp(key, "gid") == 0)
        return set_number(&extension->has_gid, &extension->gid, value, err);
    if (strcmp(key, "mtime") == 0)
        return set_time(extension, value, err);
    if (strncmp(key, sparse, strlen(sparse)) == 0)
        return set_sparse(extension, key + strlen(sparse), value, err);
    return 0;
}

/* "LENGTH KEY=VALUE\n", one after the other. */
static int read_records(struct tar_extension* extension, char* text, size_t length, struct err* err) {
    while (length > 0) {
        char* space;
        unsigned long long record = text[0] >= '1' && text[0] <= '9' ? strtoull(text, &space, 10) : 0;
        if (record == 0 || record > length || *space != ' ' || text[record - 1] != '\n')
            return broken(err, "a record of the wrong length");
        char* key = space + 1;
        char* end = text + record - 1;
        char* equals = key < end ? memchr(key, '=', (size_t)(end - key)) : NULL;
        if (!equals)
            return broken(err, "a record without a value");
        *equals = *end = '\0';
        if (read_record(extension, key, equals + 1, (size_t)(end - equals - 1), err) < 0)
            return -1;
        text += record;
        length -= (size_t)record;
    }
    return 0;
}

int tar_extension_read(struct tar_extension* extension, char type, char* text, size_t length,
                       struct err* err) {
    switch (type) {
    case TAR_PAX:
        return read_records(extension, text, length, err);
    case TAR_GNU_LONG_NAME:
        return set_text(&extension->name, text, err);
    case TAR_GNU_LONG_LINK:
        return set_text(&extension->link, text, err);
    default:
        return 0; /* defaults for all entries: what writers put there says nothing of files */
    }
}

static void move_text(char** to, char** from) {
    if (!*from)
        return;
    free(*to);
    *to = *from;
    *from = NULL;
}

static int apply_sparse(struct tar_extension* extension, struct tar_header* header, struct err* err) {
    if (extension->sparse_other)
        return broken(err, "a sparse file in a format that is not supported: use 1.0");
    if (!extension->sparse_major)
        return 0;
    if (!extension->has_real_size || header->type != TAR_FILE || header->sparse != TAR_NOT_SPARSE)
        return broken(err, "a sparse file without its size");
    header->sparse = TAR_SPARSE_PAX;
    header->real_size = extension->real_size;
    return 0;
}

int tar_extension_apply(struct tar_extension* extension, struct tar_header* header, struct err* err) {
    if (extension->uid > UINT32_MAX || extension->gid > UINT32_MAX)
        return broken(err, "an owner that does not exist");
    move_text(&header->name, &extension->name);
    move_text(&header->name, &extension->sparse_name);
    move_text(&header->link, &extension->link);
    header->size = extension->has_size ? extension->size : header->size;
    header->uid = extension->has_uid ? (uid_t)extension->uid : header->uid;
    header->gid = extension->has_gid ? (gid_t)extension->gid : header->gid;
    header->mtime = extension->has_mtime ? extension->mtime : header->mtime;
    header->attributes = extension->attributes;
    header->attribute_count = extension->attribute_count;
    extension->attributes = NULL;
    extension->attribute_count = 0;
    if (header->size > INT64_MAX || header->real_size > INT64_MAX)
        return broken(err, "a file of impossible size");
    return apply_sparse(extension, header, err);
}

void tar_extension_free(struct tar_extension* extension) {
    free(extension->name);
    free(extension->link);
    free(extension->sparse_name);
    for (size_t i = 0; i < extension->attribute_count; i++) {
        free(extension->attributes[i].name);
        free(extension->attributes[i].value);
    }
    free(extension->attributes);
    *extension = (struct tar_extension){0};
}
