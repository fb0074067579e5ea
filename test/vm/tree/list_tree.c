/* SPDX-License-Identifier: Apache-2.0
 *
 * list_tree ROOT: one line for each file under ROOT, in byte order of its path: type and mode, owner, size or
 * device number, mtime to the nanosecond, the first path of the same inode, xattrs, and a hash of the content.
 * Bytes outside of printable ASCII are escaped. The same program runs in the guest and on the host.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* What a container's run time puts over the image, and where this program is. */
static const char* const left_out[] = {"proc", "sys", "dev", "etc/hosts", "etc/hostname", "etc/resolv.conf",
                                       "mnt"};

struct seen {
    dev_t dev;
    ino_t ino;
    char* path;
    struct seen* next;
};

static struct seen* buckets[65536];

static void fail(const char* what, const char* path) {
    fprintf(stderr, "list_tree: %s %s: %s\n", what, path, strerror(errno));
    exit(1);
}

static void print_escaped(const char* bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)bytes[i];
        if (c > ' ' && c < 127 && c != '\\' && c != '=')
            putchar(c);
        else
            printf("\\%03o", c);
    }
}

/* FNV-1a, 64 bits: both sides are ours, nobody looks for collisions. */
static uint64_t hash_of(int dir, const char* name) {
    static unsigned char buffer[1 << 16];
    uint64_t hash = 0xcbf29ce484222325u;
    ssize_t count;
    const int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW);
    if (fd < 0)
        fail("open", name);
    while ((count = read(fd, buffer, sizeof(buffer))) > 0)
        for (ssize_t i = 0; i < count; i++)
            hash = (hash ^ buffer[i]) * 0x100000001b3u;
    if (count < 0)
        fail("read", name);
    close(fd);
    return hash;
}

/* The first path that has this inode. */
static const char* first_path(const struct stat* status, const char* path) {
    struct seen** bucket = &buckets[(status->st_ino * 31 + status->st_dev) % 65536];
    for (struct seen* entry = *bucket; entry; entry = entry->next)
        if (entry->dev == status->st_dev && entry->ino == status->st_ino)
            return entry->path;
    struct seen* entry = malloc(sizeof(*entry));
    if (!entry)
        fail("allocate for", path);
    *entry = (struct seen){status->st_dev, status->st_ino, strdup(path), *bucket};
    *bucket = entry;
    return path;
}

static int compare_names(const void* a, const void* b) {
    return strcmp(*(char* const*)a, *(char* const*)b);
}

static void print_xattrs(const char* path) {
    static char list[65536], value[65536];
    char* names[1024];
    size_t count = 0;
    const ssize_t length = llistxattr(path, list, sizeof(list));
    if (length < 0 && errno != ENOTSUP)
        fail("list xattrs of", path);
    for (ssize_t at = 0; at < length && count < 1024; at += (ssize_t)strlen(list + at) + 1)
        names[count++] = list + at;
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++) {
        const ssize_t size = lgetxattr(path, names[i], value, sizeof(value));
        if (size < 0)
            fail("read an xattr of", path);
        printf(" ");
        print_escaped(names[i], strlen(names[i]));
        printf("=");
        print_escaped(value, (size_t)size);
    }
}

static void print_file(int dir, const char* name, const char* path, const char* full,
                       const struct stat* status) {
    char target[4096];
    print_escaped(path, strlen(path));
    printf(" %o %u:%u %lld.%09ld", status->st_mode, status->st_uid, status->st_gid,
           (long long)status->st_mtim.tv_sec, status->st_mtim.tv_nsec);
    if (!S_ISDIR(status->st_mode) && status->st_nlink > 1) {
        /* Not the number: overlayfs goes on counting a link that an upper layer took away. */
        const char* first = first_path(status, path);
        if (strcmp(first, path) != 0) {
            printf(" linked:");
            print_escaped(first, strlen(first));
        }
    }
    if (S_ISREG(status->st_mode))
        printf(" %lld %016llx", (long long)status->st_size, (unsigned long long)hash_of(dir, name));
    if (S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode))
        printf(" %u,%u", major(status->st_rdev), minor(status->st_rdev));
    if (S_ISLNK(status->st_mode)) {
        const ssize_t length = readlinkat(dir, name, target, sizeof(target));
        if (length < 0)
            fail("read link", full);
        printf(" -> ");
        print_escaped(target, (size_t)length);
    }
    print_xattrs(full);
    putchar('\n');
}

static int is_left_out(const char* path) {
    for (size_t i = 0; i < sizeof(left_out) / sizeof(*left_out); i++)
        if (strcmp(path, left_out[i]) == 0)
            return 1;
    return 0;
}

static size_t read_names(int fd, char*** names) {
    size_t count = 0, room = 0;
    DIR* dir = fdopendir(dup(fd));
    if (!dir)
        fail("open directory", ".");
    for (struct dirent* entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count == room && !(*names = realloc(*names, (room = room * 2 + 64) * sizeof(**names))))
            fail("allocate for", entry->d_name);
        (*names)[count++] = strdup(entry->d_name);
    }
    closedir(dir);
    qsort(*names, count, sizeof(**names), compare_names);
    return count;
}

static void walk(int dir, const char* path, const char* full) {
    char** names = NULL;
    const size_t count = read_names(dir, &names);
    for (size_t i = 0; i < count; i++) {
        char *child, *child_full;
        struct stat status;
        if (asprintf(&child, "%s%s%s", path, *path ? "/" : "", names[i]) < 0 ||
            asprintf(&child_full, "%s/%s", full, names[i]) < 0)
            fail("allocate for", names[i]);
        if (!is_left_out(child)) {
            if (fstatat(dir, names[i], &status, AT_SYMLINK_NOFOLLOW) < 0)
                fail("stat", child);
            print_file(dir, names[i], child, child_full, &status);
            if (S_ISDIR(status.st_mode)) {
                const int fd = openat(dir, names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
                if (fd < 0)
                    fail("open", child);
                walk(fd, child, child_full);
                close(fd);
            }
        }
        free(child);
        free(child_full);
        free(names[i]);
    }
    free(names);
}

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: list_tree ROOT\n");
        return 2;
    }
    const int root = open(argv[1], O_RDONLY | O_DIRECTORY);
    if (root < 0)
        fail("open", argv[1]);
    walk(root, "", strcmp(argv[1], "/") == 0 ? "" : argv[1]);
    return fflush(stdout) == 0 ? 0 : 1;
}
