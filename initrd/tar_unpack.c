/* SPDX-License-Identifier: Apache-2.0 */
#include "tar_unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "found_file.h"
#include "protocol.h"
#include "sparse_content.h"
#include "unpack_place.h"
#include "xattrs.h"

/* A directory's time is set last: what is put into it changes it. */
struct late_time {
    char* name;
    struct timespec time;
};

struct unpacking {
    struct tar_reader reader;
    struct tar_header header;
    int place;
    const struct tar_owner* owner;
    struct late_time* late;
    size_t late_count;
    size_t late_capacity;
};

static int failed(const struct unpacking* unpacking, const char* what, struct err* err) {
    return err_system(err, "%s \"%s\"", what, unpacking->header.name);
}

static int note_time(struct unpacking* unpacking, struct err* err) {
    if (unpacking->late_count == unpacking->late_capacity) {
        size_t capacity = unpacking->late_capacity ? unpacking->late_capacity * 2 : 64;
        struct late_time* late = realloc(unpacking->late, capacity * sizeof(*late));
        if (!late)
            return failed(unpacking, "unpack", err);
        unpacking->late = late;
        unpacking->late_capacity = capacity;
    }
    char* name = strdup(unpacking->header.name);
    if (!name)
        return failed(unpacking, "unpack", err);
    unpacking->late[unpacking->late_count++] = (struct late_time){name, unpacking->header.mtime};
    return 0;
}

static int set_time(int fd, const struct timespec* time) {
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, *time};
    return utimensat(fd, "", times, AT_EMPTY_PATH);
}

/* Attributes that the file system there does not have, or that only a machine's root may set, are left out, as Docker does. */
static int set_attributes(struct unpacking* unpacking, int fd, struct err* err) {
    const struct tar_header* header = &unpacking->header;
    for (size_t i = 0; i < header->attribute_count; i++) {
        const struct tar_attribute* attribute = &header->attributes[i];
        if (!xattr_is_archived(attribute->name))
            continue;
        if (found_file_set_xattr(fd, attribute->name, attribute->value, attribute->length) < 0 &&
            errno != EOPNOTSUPP && errno != EPERM)
            return failed(unpacking, "set the attributes of", err);
    }
    return 0;
}

/* Owner first: a change of it takes set-user-ID bits and capabilities away. */
static int set_status(struct unpacking* unpacking, int fd, struct err* err) {
    const struct tar_header* header = &unpacking->header;
    uid_t uid = unpacking->owner->given ? unpacking->owner->uid : header->uid;
    gid_t gid = unpacking->owner->given ? unpacking->owner->gid : header->gid;
    bool has_mode = header->type == TAR_FILE || header->type == TAR_DIRECTORY;
    if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
        return failed(unpacking, "set the owner of", err);
    if (has_mode && fchmod(fd, header->mode) < 0)
        return failed(unpacking, "set the mode of", err);
    if (set_attributes(unpacking, fd, err) < 0)
        return -1;
    if (header->type == TAR_DIRECTORY)
        return note_time(unpacking, err);
    return set_time(fd, &header->mtime) < 0 ? failed(unpacking, "set the time of", err) : 0;
}

/* Returns 1 if a directory is there already and one is wanted. */
static int clear_place(struct unpacking* unpacking, const struct unpack_place* place, struct err* err) {
    struct stat there;
    const char* name = unpacking->header.name;
    bool directory = unpacking->header.type == TAR_DIRECTORY;
    if (fstatat(place->parent, place->name, &there, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : failed(unpacking, "look at", err);
    if (S_ISDIR(there.st_mode) && directory)
        return 1;
    if (S_ISDIR(there.st_mode))
        return err_set(err, HRUN_ERROR_FILE, EISDIR, "cannot overwrite directory \"%s\" with non-directory",
                       name);
    if (directory)
        return err_set(err, HRUN_ERROR_FILE, ENOTDIR, "cannot overwrite non-directory \"%s\" with directory",
                       name);
    return unlinkat(place->parent, place->name, 0) < 0 ? failed(unpacking, "replace", err) : 0;
}

static int make_file(struct unpacking* unpacking, const struct unpack_place* place, struct err* err) {
    const struct tar_header* header = &unpacking->header;
    owned_fd file =
        openat(place->parent, place->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return failed(unpacking, "make", err);
    int result = header->sparse ? sparse_content_write(&unpacking->reader, header, file, err)
                                : tar_content_write(&unpacking->reader, file, 0, header->size, err);
    return result < 0 ? -1 : set_status(unpacking, file, err);
}

static int make_directory(struct unpacking* unpacking, const struct unpack_place* place, bool there,
                          struct err* err) {
    if (!there && mkdirat(place->parent, place->name, 0700) < 0)
        return failed(unpacking, "make", err);
    owned_fd directory = openat(place->parent, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return directory < 0 ? failed(unpacking, "open", err) : set_status(unpacking, directory, err);
}

static int make_hard_link(struct unpacking* unpacking, const struct unpack_place* place, struct err* err) {
    struct unpack_place target;
    if (unpack_name_clean(unpacking->header.link, err) < 0 ||
        unpack_place_find(unpacking->place, unpacking->header.link, false, &target, err) < 0)
        return -1;
    int result = linkat(target.parent, target.name, place->parent, place->name, 0);
    int number = errno;
    close(target.parent);
    errno = number;
    return result < 0 ? failed(unpacking, "link", err) : 0;
}

static int make_node(struct unpacking* unpacking, const struct unpack_place* place, struct err* err) {
    const struct tar_header* header = &unpacking->header;
    struct found_file made;
    mode_t mode = header->mode;
    int result;
    if (header->type == TAR_SYMBOLIC_LINK)
        result = symlinkat(header->link, place->parent, place->name);
    else if (header->type == TAR_FIFO)
        result = mknodat(place->parent, place->name, S_IFIFO | mode, 0);
    else
        result = mknodat(place->parent, place->name,
                         (header->type == TAR_BLOCK_DEVICE ? S_IFBLK : S_IFCHR) | mode, header->device);
    if (result < 0 || found_file_open(place->parent, place->name, &made) < 0)
        return failed(unpacking, "make", err);
    result = set_status(unpacking, made.fd, err);
    close(made.fd);
    return result;
}

static int make(struct unpacking* unpacking, const struct unpack_place* place, bool there, struct err* err) {
    switch (unpacking->header.type) {
    case TAR_FILE:
        return make_file(unpacking, place, err);
    case TAR_DIRECTORY:
        return make_directory(unpacking, place, there, err);
    case TAR_HARD_LINK:
        return make_hard_link(unpacking, place, err);
    case TAR_SYMBOLIC_LINK:
    case TAR_FIFO:
    case TAR_CHARACTER_DEVICE:
    case TAR_BLOCK_DEVICE:
        return make_node(unpacking, place, err);
    default:
        return err_set(err, HRUN_ERROR_FILE, EINVAL, "unhandled tar header type %d", unpacking->header.type);
    }
}

static int unpack_entry(struct unpacking* unpacking, struct err* err) {
    struct unpack_place place;
    if (unpack_name_clean(unpacking->header.name, err) < 0)
        return -1;
    /* The destination itself keeps its owner, mode and time. */
    if (unpacking->header.name[0] == '\0')
        return 0;
    if (unpack_place_find(unpacking->place, unpacking->header.name, true, &place, err) < 0)
        return -1;
    int there = clear_place(unpacking, &place, err);
    int result = there < 0 ? -1 : make(unpacking, &place, there > 0, err);
    close(place.parent);
    return result;
}

/* A directory that is not there any more needs no time. */
static void set_late_times(const struct unpacking* unpacking) {
    struct err ignored;
    for (size_t i = unpacking->late_count; i > 0; i--) {
        const struct late_time* late = &unpacking->late[i - 1];
        struct unpack_place place;
        struct found_file directory;
        if (unpack_place_find(unpacking->place, late->name, false, &place, &ignored) < 0)
            continue;
        if (found_file_open(place.parent, place.name, &directory) == 0) {
            if (S_ISDIR(directory.status.st_mode))
                set_time(directory.fd, &late->time);
            close(directory.fd);
        }
        close(place.parent);
    }
}

static void free_unpacking(struct unpacking* unpacking) {
    tar_header_free(&unpacking->header);
    for (size_t i = 0; i < unpacking->late_count; i++)
        free(unpacking->late[i].name);
    free(unpacking->late);
    free(unpacking);
}

int tar_unpack(int input, int place, const struct tar_owner* owner, struct err* err) {
    struct unpacking* unpacking = calloc(1, sizeof(*unpacking));
    int result;
    if (!unpacking)
        return err_system(err, "unpack");
    unpacking->reader.fd = input;
    unpacking->place = place;
    unpacking->owner = owner;
    while ((result = tar_next(&unpacking->reader, &unpacking->header, err)) > 0)
        if ((result = unpack_entry(unpacking, err)) < 0)
            break;
    set_late_times(unpacking);
    if (result == 0)
        result = tar_drain(&unpacking->reader, err);
    free_unpacking(unpacking);
    return result;
}
