/* SPDX-License-Identifier: Apache-2.0 */
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "archive_path.h"
#include "changes.h"
#include "cleanup.h"
#include "identity.h"
#include "layer_archive.h"
#include "protocol.h"
#include "tar_tree.h"

/* The container's own user, by the names in the image. */
static int find_owner(struct archive* archive, struct err* err) {
    struct identity identity = {0};
    if (archive->request->user[0] == '\0')
        return 0;
    if (identity_find(archive->request, &identity, err) < 0)
        return -1;
    archive->owner = (struct tar_owner){true, identity.uid, identity.gid};
    return 0;
}

/* Whether the place can be written to, in Docker's words. */
static int check_writable(const struct archive* archive, struct err* err) {
    struct statvfs place;
    struct stat root;
    if (fstatvfs(archive->file.fd, &place) < 0 || stat("/", &root) < 0)
        return err_system(err, "look at the destination");
    bool on_root = root.st_dev == archive->file.status.st_dev;
    bool read_only = place.f_flag & ST_RDONLY;
    if (on_root && !archive->view.running)
        read_only = archive->container->configure.flags & HRUN_CONF_FLAG_READONLY_ROOT;
    if (!read_only)
        return 0;
    return err_set(err, HRUN_ERROR_FILE, EROFS, "%s is marked read-only",
                   on_root ? "container rootfs" : "mounted volume");
}

static int open_destination(struct archive* archive, struct err* err) {
    owned_memory char* path = malloc(strlen(archive->request->arguments.items[0]) + sizeof("/"));
    if (!path)
        return err_system(err, "open the destination");
    sprintf(path, "%s/", archive->request->arguments.items[0]);
    if (archive_path_open(path, &archive->file, err) < 0 || check_writable(archive, err) < 0)
        return -1;
    return find_owner(archive, err);
}

int archive_open(struct archive* archive, const struct container* container,
                 const struct start_request* request, struct err* err) {
    *archive = (struct archive){.container = container, .request = request, .file.fd = -1};
    if (archive_view_enter(container, request->archive, &archive->view, err) < 0)
        return -1;
    switch (request->archive) {
    case HRUN_ARCHIVE_STAT:
    case HRUN_ARCHIVE_GET:
        return archive_path_open(request->arguments.items[0], &archive->file, err);
    case HRUN_ARCHIVE_PUT:
        return open_destination(archive, err);
    default:
        return 0;
    }
}

static int tell_status(const struct archive* archive, struct err* err) {
    const struct stat* status = &archive->file.status;
    bool link = S_ISLNK(status->st_mode);
    owned_memory char* target = link ? found_file_target(&archive->file) : NULL;
    owned_memory char* resolved =
        link ? archive_path_resolve(archive->request->arguments.items[0], err) : NULL;
    if (link && (!target || !resolved))
        return target ? -1 : err_system(err, "read a link");
    printf("%o", (unsigned)status->st_mode);
    putchar('\0');
    printf("%lld", (long long)status->st_size);
    putchar('\0');
    printf("%lld", (long long)status->st_mtim.tv_sec);
    putchar('\0');
    printf("%ld", status->st_mtim.tv_nsec);
    putchar('\0');
    fputs(target ? target : "", stdout);
    putchar('\0');
    fputs(resolved ? resolved : "", stdout);
    return fflush(stdout) == EOF ? err_system(err, "tell of the file") : 0;
}

/* What the kernel shows in the container's own mounts is no file of anybody. Something asked for by name is. */
static void close_kernel_mounts(struct tar_tree* tree, dev_t asked_for) {
    static const char* const mounts[] = {"/proc",    "/sys",        "/sys/fs/cgroup", "/dev",
                                         "/dev/pts", "/dev/mqueue", "/dev/shm"};
    struct stat root, mount;
    if (stat("/", &root) < 0)
        return;
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
        if (lstat(mounts[i], &mount) == 0 && mount.st_dev != root.st_dev && mount.st_dev != asked_for)
            tree->closed[tree->closed_count++] = mount.st_dev;
}

static int get(struct archive* archive, struct err* err) {
    struct tar_tree* tree = tar_tree_new(STDOUT_FILENO);
    if (!tree)
        return err_system(err, "archive");
    if (archive->view.running)
        close_kernel_mounts(tree, archive->file.status.st_dev);
    if (tar_tree_add(tree, &archive->file, archive->request->arguments.items[1], err) < 0)
        return -1;
    return tar_tree_end(tree, err);
}

static int export(struct err* err) {
    struct found_file root;
    struct tar_tree* tree = tar_tree_new(STDOUT_FILENO);
    if (!tree || found_file_open(AT_FDCWD, "/", &root) < 0)
        return err_system(err, "open the container's root");
    return tar_tree_add(tree, &root, "", err) < 0 ? -1 : tar_tree_end(tree, err);
}

int archive_serve(struct archive* archive, struct err* err) {
    const struct configure* configure = &archive->container->configure;
    switch (archive->request->archive) {
    case HRUN_ARCHIVE_STAT:
        return tell_status(archive, err);
    case HRUN_ARCHIVE_GET:
        return get(archive, err);
    case HRUN_ARCHIVE_PUT:
        return tar_unpack(STDIN_FILENO, archive->file.fd, &archive->owner, err);
    case HRUN_ARCHIVE_CHANGES:
        return changes_write(archive->view.lower, configure, err);
    case HRUN_ARCHIVE_LAYER:
        return layer_archive_write(STDOUT_FILENO, archive->view.lower, configure, err);
    default:
        return export(err);
    }
}
