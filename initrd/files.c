/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"
#include "root_path.h"

#define FILES_DIRECTORY "/files" /* in the initramfs */

static int write_all(int file, const uint8_t* content, size_t length) {
    while (length > 0) {
        ssize_t count = write(file, content, length);
        if (count < 0 && errno != EINTR)
            return -1;
        content += count < 0 ? 0 : count;
        length -= count < 0 ? 0 : (size_t)count;
    }
    return 0;
}

static int open_file(size_t index, int flags) {
    char path[48];
    snprintf(path, sizeof(path), FILES_DIRECTORY "/%zu", index);
    return open(path, O_RDWR | O_CLOEXEC | flags, 0644);
}

static int bind_over(int root, int file, const char* target, struct err* err) {
    owned_fd place = root_make_file(root, target, err);
    if (place < 0)
        return -1;
    owned_fd copy = mount_copy(file, err);
    return copy < 0 ? -1 : mount_attach(copy, place, target, err);
}

static int bind_file(int root, const struct file_request* request, size_t index, struct err* err) {
    owned_fd file = open_file(index, O_CREAT | O_EXCL);
    if (file < 0 || write_all(file, request->content, request->length) < 0)
        return err_system(err, "write the generated %s", request->target);
    return bind_over(root, file, request->target, err);
}

int files_bind(int root, const struct configure* configure, struct err* err) {
    for (size_t i = 0; i < configure->files.count; i++)
        if (bind_file(root, &configure->files.items[i], i, err) < 0)
            return -1;
    return 0;
}

static bool is_mounted(const struct configure* configure, const char* target) {
    for (size_t i = 0; i < configure->mount_count; i++)
        if (strcmp(configure->mounts[i].target, target) == 0)
            return true;
    return false;
}

int files_share(int root, const struct configure* first, const struct configure* own, struct err* err) {
    for (size_t i = 0; i < first->files.count; i++) {
        const char* target = first->files.items[i].target;
        if (is_mounted(own, target))
            continue;
        owned_fd file = open_file(i, 0);
        if (file < 0)
            return err_system(err, "open the generated %s", target);
        if (bind_over(root, file, target, err) < 0)
            return -1;
    }
    return 0;
}

/* True if it is as the agent has made it. */
static bool untouched(int file, const struct file_request* made) {
    struct stat st;
    if (fstat(file, &st) < 0 || (size_t)st.st_size != made->length)
        return false;
    void* content = malloc(made->length + 1);
    bool same = content && pread(file, content, made->length, 0) == (ssize_t)made->length &&
                memcmp(content, made->content, made->length) == 0;
    free(content);
    return same;
}

/* In place: it is bound where the container sees it. */
static int rewrite(int file, const struct file_request* made, const struct file_request* wanted) {
    if (!untouched(file, made))
        return 0;
    return ftruncate(file, 0) < 0 || write_all(file, wanted->content, wanted->length) < 0 ? -1 : 0;
}

static void swap_content(struct file_request* one, struct file_request* other) {
    struct file_request kept = *one;
    one->content = other->content;
    one->length = other->length;
    other->content = kept.content;
    other->length = kept.length;
}

static int renew_file(struct file_request* made, size_t index, struct file_request* wanted, struct err* err) {
    owned_fd file = open_file(index, 0);
    if (file < 0 && errno != ENOENT)
        return err_system(err, "open the generated %s", made->target);
    if (file >= 0 && rewrite(file, made, wanted) < 0)
        return err_system(err, "write the generated %s", made->target);
    swap_content(made, wanted);
    return 0;
}

int files_renew(struct configure* configure, struct file_requests* wanted, struct err* err) {
    for (size_t i = 0; i < wanted->count; i++)
        for (size_t j = 0; j < configure->files.count; j++) {
            struct file_request* made = &configure->files.items[j];
            if (strcmp(made->target, wanted->items[i].target) == 0 &&
                renew_file(made, j, &wanted->items[i], err) < 0)
                return -1;
        }
    return 0;
}
