/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

static int bind_file(int root, const struct file_request* request, size_t index, struct err* err) {
    char path[48];
    snprintf(path, sizeof(path), FILES_DIRECTORY "/%zu", index);
    owned_fd file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0 || write_all(file, request->content, request->length) < 0)
        return err_system(err, "write the generated %s", request->target);
    owned_fd place = root_make_file(root, request->target, err);
    if (place < 0)
        return -1;
    owned_fd copy = mount_copy(file, err);
    return copy < 0 ? -1 : mount_attach(copy, place, request->target, err);
}

int files_bind(int root, const struct configure* configure, struct err* err) {
    for (size_t i = 0; i < configure->file_count; i++)
        if (bind_file(root, &configure->files[i], i, err) < 0)
            return -1;
    return 0;
}
