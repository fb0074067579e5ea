/* SPDX-License-Identifier: Apache-2.0
 *
 * Clean-up by attribute: a local that owns something gives it back when it leaves its scope.
 */
#ifndef HRUN_CLEANUP_H
#define HRUN_CLEANUP_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_close(const int* fd) {
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_free(void* pointer) {
    free(*(void**)pointer);
}

static inline void cleanup_closedir(DIR** directory) {
    if (*directory)
        closedir(*directory);
}

#define owned_fd __attribute__((cleanup(cleanup_close))) int
#define owned_memory __attribute__((cleanup(cleanup_free)))
#define owned_dir __attribute__((cleanup(cleanup_closedir))) DIR*

/* Gives up ownership: the value is returned and the owner left empty. */
static inline int take_fd(int* fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}

#endif
