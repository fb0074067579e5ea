/* SPDX-License-Identifier: Apache-2.0 */
#include "path_lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol.h"

/* 0 if the file can be executed, else an errno. */
static int check_executable(const char* file) {
    struct stat status;
    if (stat(file, &status) < 0)
        return errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    if (!S_ISREG(status.st_mode))
        return EACCES;
    return faccessat(AT_FDCWD, file, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static int failed(const char* command, int number, struct err* err) {
    if (number == ENOENT || number == ENOTDIR)
        return err_set(err, HRUN_ERROR_NOT_FOUND, number, "exec: \"%s\": stat %s: %s", command, command,
                       "no such file or directory");
    const char* why = number == EISDIR ? "is a directory" : "permission denied";
    if (number != EISDIR && number != EACCES)
        why = strerror(number);
    return err_set(err, HRUN_ERROR_NOT_EXECUTABLE, number, "exec: \"%s\": %s", command, why);
}

/* Puts directory and command together; an empty directory is the current one. False if it is too long. */
static bool join(const char* directory, size_t length, const char* command, char* found, size_t size) {
    int wrote = length == 0 ? snprintf(found, size, "./%s", command)
                            : snprintf(found, size, "%.*s/%s", (int)length, directory, command);
    return wrote >= 0 && (size_t)wrote < size;
}

static int search(const char* command, const char* path, char* found, size_t size, struct err* err) {
    int refused = 0;
    for (const char* next = path; next;) {
        const char* end = strchr(next, ':');
        size_t length = end ? (size_t)(end - next) : strlen(next);
        if (join(next, length, command, found, size)) {
            int number = check_executable(found);
            if (number == 0)
                return 0;
            if (number == EACCES)
                refused = number;
        }
        next = end ? end + 1 : NULL;
    }
    if (refused)
        return failed(command, refused, err);
    return err_set(err, HRUN_ERROR_NOT_FOUND, ENOENT, "exec: \"%s\": executable file not found in $PATH",
                   command);
}

int path_lookup(const char* command, const char* path, char* found, size_t size, struct err* err) {
    if (!strchr(command, '/'))
        return search(command, path, found, size, err);
    if (strlen(command) >= size)
        return failed(command, ENAMETOOLONG, err);
    memcpy(found, command, strlen(command) + 1);
    int number = check_executable(found);
    return number ? failed(command, number, err) : 0;
}
