/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "caps.h"
#include "cleanup.h"
#include "protocol.h"

/* Reads the regular file open at `file`, whose size was checked. */
static int read_whole(int file, size_t size, struct user_file* out, struct err* err) {
    char* text = malloc(size + 1);
    size_t length = 0;
    ssize_t count = 1;
    while (text && length < size && count > 0) {
        count = read(file, text + length, size - length);
        length += count > 0 ? (size_t)count : 0;
    }
    if (!text || count < 0) {
        free(text);
        return err_system(err, "read the image's users");
    }
    *out = (struct user_file){text, length};
    return 0;
}

/* Reads an account file. One that is missing is empty; one that is not a plain file, or huge, is refused:
 * nothing in the image can make the agent wait on a fifo or follow a magic link. */
static int read_accounts(const char* path, struct user_file* out, struct err* err) {
    struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                           .resolve = RESOLVE_NO_MAGICLINKS};
    struct stat status;
    owned_fd file = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
    if (file < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (file < 0 || fstat(file, &status) < 0)
        return err_system(err, "open the image's %s", path);
    if (!S_ISREG(status.st_mode) || status.st_size > USERS_MAX_FILE)
        return err_set(err, HRUN_ERROR_USER, EINVAL, "the image's %s is not a plain file of at most %u MiB",
                       path, USERS_MAX_FILE >> 20);
    return read_whole(file, (size_t)status.st_size, out, err);
}

int identity_find(const struct start_request* request, struct identity* identity, struct err* err) {
    struct user_file passwd = {0}, group = {0};
    int result = read_accounts("/etc/passwd", &passwd, err);
    if (result == 0)
        result = read_accounts("/etc/group", &group, err);
    if (result == 0)
        result = users_resolve(passwd, group, request->user, &request->groups, identity, err);
    free((void*)passwd.text);
    free((void*)group.text);
    return result;
}

int identity_assume(const struct start_request* request, const struct identity* identity, struct err* err) {
    if (caps_bound(request->capabilities, err) < 0)
        return -1;
    if (setgroups(identity->group_count, identity->groups) < 0 ||
        setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
        setresuid(identity->uid, identity->uid, identity->uid) < 0)
        return err_system(err, "become user %u, group %u", identity->uid, identity->gid);
    if (caps_apply(request->capabilities, identity->uid, err) < 0)
        return -1;
    if ((request->flags & HRUN_START_NO_NEW_PRIVS) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_system(err, "set no_new_privs");
    return 0;
}
