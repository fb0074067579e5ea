/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack_place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "protocol.h"

/* Takes the last component off what was cleaned so far. */
static char* step_up(char* start, char* end) {
    while (end > start && end[-1] != '/')
        end--;
    return end > start ? end - 1 : start;
}

int unpack_name_clean(char* name, struct err* err) {
    bool absolute = name[0] == '/';
    char* end = name;
    for (const char* at = name; *at;) {
        size_t length = strcspn(at, "/");
        if (length == 2 && memcmp(at, "..", 2) == 0) {
            if (end == name && !absolute)
                return err_set(err, HRUN_ERROR_FILE, EINVAL, "\"%s\" is outside of the destination", name);
            end = step_up(name, end);
        } else if (length > 0 && !(length == 1 && at[0] == '.')) {
            if (end > name)
                *end++ = '/';
            memmove(end, at, length);
            end += length;
        }
        at += length + (at[length] == '/');
    }
    *end = '\0';
    return 0;
}

/* Links are followed, as they lead inside the container: its root is this process's. */
static int open_directory(int from, const char* path) {
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, from, path, &how, sizeof(how));
}

static int enter(int directory, const char* component, bool make) {
    int next = open_directory(directory, component);
    if (next >= 0 || errno != ENOENT || !make)
        return next;
    if (mkdirat(directory, component, 0755) < 0 && errno != EEXIST)
        return -1;
    return open_directory(directory, component);
}

int unpack_place_find(int directory, const char* name, bool make, struct unpack_place* place,
                      struct err* err) {
    owned_fd parent = open_directory(directory, ".");
    for (const char* at = name; parent >= 0;) {
        size_t length = strcspn(at, "/");
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
            break;
        }
        memcpy(place->name, at, length);
        place->name[length] = '\0';
        if (at[length] == '\0') {
            place->parent = take_fd(&parent);
            return 0;
        }
        int next = enter(parent, place->name, make);
        close(parent);
        parent = next;
        at += length + 1;
    }
    return err_system(err, "open the directory of \"%s\"", name);
}
