/* SPDX-License-Identifier: Apache-2.0 */
#include "tar_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "cleanup.h"
#include "xattrs.h"

static int failed(const struct tar_tree* tree, const char* what, struct err* err) {
    return err_system(err, "%s %s", what, tree->path.length ? tree->path.text : "/");
}

static struct tar_entry entry_of(const struct tar_tree* tree, const struct stat* status, enum tar_type type) {
    return (struct tar_entry){.name = tree->path.text,
                              .type = type,
                              .mode = status->st_mode,
                              .uid = status->st_uid,
                              .gid = status->st_gid,
                              .mtime = status->st_mtim};
}

static int put(struct tar_tree* tree, const struct tar_entry* entry, struct err* err) {
    return tar_put_entry(&tree->writer, entry) < 0 ? failed(tree, "archive", err) : 0;
}

/* With what the file has of extended attributes. */
static int put_file(struct tar_tree* tree, const struct found_file* file, const struct tar_entry* entry,
                    struct err* err) {
    if (xattrs_add(&tree->writer.records, file) < 0)
        return failed(tree, "archive", err);
    return put(tree, entry, err);
}

/* Straight from the page cache. Returns what was sent: less than `length` where the file has become shorter or this cannot be. */
static uint64_t send_range(struct tar_tree* tree, int fd, uint64_t at, uint64_t length) {
    off_t from = (off_t)at;
    uint64_t sent = 0;
    if (length < TAR_WRITER_BUFFER || tar_flush(&tree->writer) < 0)
        return 0;
    while (sent < length) {
        ssize_t count = sendfile(tree->writer.fd, fd, &from, length - sent);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        sent += (uint64_t)count;
    }
    return sent;
}

/* Exactly `length` bytes, whatever becomes of the file meanwhile: what it lost is zeros. */
static int put_range(struct tar_tree* tree, int fd, uint64_t at, uint64_t length, struct err* err) {
    static uint8_t buffer[64 * 1024];
    uint64_t sent = send_range(tree, fd, at, length);
    at += sent;
    length -= sent;
    while (length > 0) {
        size_t part = length < sizeof(buffer) ? (size_t)length : sizeof(buffer);
        ssize_t count = pread(fd, buffer, part, (off_t)at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failed(tree, "read", err);
        size_t got = count > 0 ? (size_t)count : part;
        if (tar_put_bytes(&tree->writer, count > 0 ? buffer : NULL, got) < 0)
            return failed(tree, "archive", err);
        at += got;
        length -= got;
    }
    return 0;
}

static int put_padding(struct tar_tree* tree, uint64_t size, struct err* err) {
    return tar_put_padding(&tree->writer, size) < 0 ? failed(tree, "archive", err) : 0;
}

static int add_sparse_records(struct tar_tree* tree, uint64_t size) {
    struct pax_records* records = &tree->writer.records;
    if (pax_add_string(records, "GNU.sparse.major", "1") < 0 ||
        pax_add_string(records, "GNU.sparse.minor", "0") < 0 ||
        pax_add_string(records, "GNU.sparse.name", tree->path.text) < 0)
        return -1;
    return pax_add_number(records, "GNU.sparse.realsize", size);
}

/* "a/b" stands as "a/GNUSparseFile.0/b": a reader that does not know the format shall not take the map for the file. */
static char* sparse_name(const char* path) {
    char* name = malloc(strlen(path) + sizeof("GNUSparseFile.0/"));
    const char* slash = strrchr(path, '/');
    int directory = slash ? (int)(slash + 1 - path) : 0;
    if (name)
        sprintf(name, "%.*sGNUSparseFile.0/%s", directory, path, path + directory);
    return name;
}

static int add_sparse(struct tar_tree* tree, const struct found_file* file, int fd, struct err* err) {
    static char text[SPARSE_MAP_BYTES];
    const struct sparse_map* map = &tree->map;
    size_t text_length = sparse_map_text(map, (uint64_t)file->status.st_size, text);
    owned_memory char* name = sparse_name(tree->path.text);
    struct tar_entry entry = entry_of(tree, &file->status, TAR_FILE);
    entry.name = name;
    entry.size = text_length + map->data_bytes;
    if (!name || add_sparse_records(tree, (uint64_t)file->status.st_size) < 0)
        return failed(tree, "archive", err);
    if (put_file(tree, file, &entry, err) < 0)
        return -1;
    if (tar_put_bytes(&tree->writer, text, text_length) < 0)
        return failed(tree, "archive", err);
    for (size_t i = 0; i < map->count; i++)
        if (put_range(tree, fd, map->extents[i].start, map->extents[i].length, err) < 0)
            return -1;
    return put_padding(tree, entry.size, err);
}

static int add_content(struct tar_tree* tree, const struct found_file* file, struct err* err) {
    uint64_t size = (uint64_t)file->status.st_size;
    struct tar_entry entry = entry_of(tree, &file->status, TAR_FILE);
    entry.size = size;
    if (size == 0)
        return put_file(tree, file, &entry, err);
    owned_fd fd = found_file_reopen(file, O_RDONLY);
    if (fd < 0)
        return failed(tree, "open", err);
    if (sparse_map_read(fd, size, (uint64_t)file->status.st_blocks * 512, &tree->map))
        return add_sparse(tree, file, fd, err);
    if (put_file(tree, file, &entry, err) < 0 || put_range(tree, fd, 0, size, err) < 0)
        return -1;
    return put_padding(tree, size, err);
}

static int add_regular(struct tar_tree* tree, const struct found_file* file, struct err* err) {
    if (file->status.st_nlink < 2)
        return add_content(tree, file, err);
    const char* first = hard_links_find(&tree->links, &file->status);
    if (first) {
        struct tar_entry entry = entry_of(tree, &file->status, TAR_HARD_LINK);
        entry.link = first;
        return put(tree, &entry, err);
    }
    if (add_content(tree, file, err) < 0)
        return -1;
    return hard_links_add(&tree->links, &file->status, tree->path.text) < 0 ? failed(tree, "archive", err)
                                                                            : 0;
}

static int add_symbolic_link(struct tar_tree* tree, const struct found_file* file, struct err* err) {
    owned_memory char* target = found_file_target(file);
    struct tar_entry entry = entry_of(tree, &file->status, TAR_SYMBOLIC_LINK);
    entry.link = target;
    return target ? put_file(tree, file, &entry, err) : failed(tree, "read the link", err);
}

static int add_node(struct tar_tree* tree, const struct found_file* file, enum tar_type type,
                    struct err* err) {
    struct tar_entry entry = entry_of(tree, &file->status, type);
    entry.device = type == TAR_FIFO ? 0 : file->status.st_rdev;
    return put_file(tree, file, &entry, err);
}

static bool is_closed(const struct tar_tree* tree, dev_t device) {
    for (size_t i = 0; i < tree->closed_count; i++)
        if (tree->closed[i] == device)
            return true;
    return false;
}

static int add_directory(struct tar_tree* tree, const struct found_file* file, struct err* err);

static int add(struct tar_tree* tree, const struct found_file* file, struct err* err) {
    switch (file->status.st_mode & S_IFMT) {
    case S_IFREG:
        return add_regular(tree, file, err);
    case S_IFDIR:
        return add_directory(tree, file, err);
    case S_IFLNK:
        return add_symbolic_link(tree, file, err);
    case S_IFCHR:
        return add_node(tree, file, TAR_CHARACTER_DEVICE, err);
    case S_IFBLK:
        return add_node(tree, file, TAR_BLOCK_DEVICE, err);
    case S_IFIFO:
        return add_node(tree, file, TAR_FIFO, err);
    default:
        return 0; /* a socket is nothing without its process */
    }
}

static int add_child(struct tar_tree* tree, int directory, const char* name, struct err* err) {
    struct found_file file;
    size_t before;
    if (tree_path_append(&tree->path, name, &before) < 0)
        return failed(tree, "archive", err);
    /* What was removed meanwhile was not there. */
    if (found_file_open(directory, name, &file) < 0) {
        int result = errno == ENOENT ? 0 : failed(tree, "open", err);
        tree_path_cut(&tree->path, before);
        return result;
    }
    int result = tree->special ? tree->special(tree, directory, &file, err) : 0;
    if (result == 0)
        result = add(tree, &file, err);
    close(file.fd);
    tree_path_cut(&tree->path, before);
    return result < 0 ? -1 : 0;
}

static int add_children(struct tar_tree* tree, const struct found_file* file, struct err* err) {
    owned_fd fd = found_file_reopen(file, O_RDONLY | O_DIRECTORY);
    owned_dir directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return failed(tree, "open", err);
    (void)take_fd(&fd);
    for (;;) {
        errno = 0;
        const struct dirent* entry = readdir(directory);
        if (!entry)
            return errno ? failed(tree, "read", err) : 0;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (add_child(tree, dirfd(directory), entry->d_name, err) < 0)
            return -1;
    }
}

static int add_directory(struct tar_tree* tree, const struct found_file* file, struct err* err) {
    if (tree->path.length > 0) {
        struct tar_entry entry = entry_of(tree, &file->status, TAR_DIRECTORY);
        strcpy(tree->path.text + tree->path.length, "/");
        int result = put_file(tree, file, &entry, err);
        tree_path_cut(&tree->path, tree->path.length);
        if (result < 0)
            return -1;
    }
    if (tree->entered && tree->entered(tree, file, err) < 0)
        return -1;
    return is_closed(tree, file->status.st_dev) ? 0 : add_children(tree, file, err);
}

struct tar_tree* tar_tree_new(int fd) {
    struct tar_tree* tree = calloc(1, sizeof(*tree));
    if (tree)
        tree->writer.fd = fd;
    return tree;
}

int tar_tree_add(struct tar_tree* tree, const struct found_file* file, const char* name, struct err* err) {
    size_t before;
    if (name[0] && tree_path_append(&tree->path, name, &before) < 0)
        return failed(tree, "archive", err);
    return add(tree, file, err);
}

int tar_tree_mark(struct tar_tree* tree, const char* path, mode_t mode, struct err* err) {
    const struct tar_entry entry = {.name = path, .type = TAR_FILE, .mode = mode};
    return put(tree, &entry, err);
}

int tar_tree_end(struct tar_tree* tree, struct err* err) {
    return tar_put_end(&tree->writer) < 0 ? failed(tree, "archive", err) : 0;
}
