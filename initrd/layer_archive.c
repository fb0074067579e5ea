/* SPDX-License-Identifier: Apache-2.0 */
#include "layer_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "tar_tree.h"
#include "upper.h"

#define WHITEOUT ".wh."
#define OPAQUE_MARKER ".wh..wh..opq"
#define MARKER_MODE 0600

struct source {
    const struct configure* configure;
    int image;
};

/* Archives an empty file called `prefix`+`name` in the directory that is the first `length` bytes of the path. */
static int mark(struct tar_tree* tree, size_t length, const char* prefix, const char* name, struct err* err) {
    size_t size = length + strlen(prefix) + strlen(name) + sizeof("/");
    owned_memory char* path = malloc(size);
    if (!path)
        return err_system(err, "archive a whiteout");
    snprintf(path, size, "%.*s%s%s%s", (int)length, tree->path.text ? tree->path.text : "", length ? "/" : "",
             prefix, name);
    return tar_tree_mark(tree, path, MARKER_MODE, err);
}

static int put_whiteout(struct tar_tree* tree, struct err* err) {
    const char* name = tree_path_name(&tree->path);
    size_t parent = (size_t)(name - tree->path.text);
    return mark(tree, parent ? parent - 1 : 0, WHITEOUT, name, err) < 0 ? -1 : 1;
}

static int special(struct tar_tree* tree, int directory, const struct found_file* file, struct err* err) {
    const struct source* source = tree->owner;
    (void)directory;
    if (upper_is_whiteout(&file->status))
        return put_whiteout(tree, err);
    /* A layer cannot hold such a name: it would remove another file. */
    if (strncmp(tree_path_name(&tree->path), WHITEOUT, strlen(WHITEOUT)) == 0)
        return 1;
    return upper_is_mount_point(source->configure, source->image, tree->path.text, &file->status);
}

static int entered(struct tar_tree* tree, const struct found_file* directory, struct err* err) {
    if (tree->path.length == 0 || !upper_is_opaque(directory))
        return 0;
    return mark(tree, tree->path.length, "", OPAQUE_MARKER, err);
}

static bool same_attributes(const struct stat* a, const struct stat* b) {
    return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid;
}

/* A layer that says nothing of the root leaves it as the layer below has it, or as the standard is. */
static bool root_is_changed(int image, const struct stat* root) {
    const struct stat standard = {.st_mode = S_IFDIR | 0755};
    struct stat before;
    if (image >= 0 && fstat(image, &before) == 0 && !same_attributes(root, &before))
        return true;
    return !same_attributes(root, &standard);
}

static int put_root(struct tar_tree* tree, const struct stat* root, struct err* err) {
    const struct tar_entry entry = {.name = "./",
                                    .type = TAR_DIRECTORY,
                                    .mode = root->st_mode,
                                    .uid = root->st_uid,
                                    .gid = root->st_gid,
                                    .mtime = root->st_mtim};
    return tar_put_entry(&tree->writer, &entry) < 0 ? err_system(err, "archive /") : 0;
}

int layer_archive_write(int fd, int image, const struct configure* configure, struct err* err) {
    struct source source = {configure, image};
    struct found_file root;
    struct tar_tree* tree = tar_tree_new(fd);
    if (!tree || found_file_open(AT_FDCWD, "/", &root) < 0)
        return err_system(err, "open the container's changes");
    tree->special = special;
    tree->entered = entered;
    tree->owner = &source;
    if (root_is_changed(image, &root.status) && put_root(tree, &root.status, err) < 0)
        return -1;
    return tar_tree_add(tree, &root, "", err) < 0 ? -1 : tar_tree_end(tree, err);
}
