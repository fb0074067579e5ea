/* SPDX-License-Identifier: Apache-2.0 */
#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "protocol.h"

bool sysctl_path(const char* key, char* path, size_t size) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@";
    size_t length = strlen(key);
    if (length == 0 || length >= size || strspn(key, allowed) != length)
        return false;
    for (size_t i = 0; i <= length; i++) {
        path[i] = key[i] == '.' ? '/' : key[i] == '/' ? '.' : key[i];
        bool empty_component = path[i] == '/' && (i == 0 || i + 1 == length || path[i - 1] == '/');
        if (empty_component)
            return false;
    }
    return strstr(path, "..") == NULL;
}

static int set(int directory, const struct sysctl_request* request, struct err* err) {
    char path[256];
    if (!sysctl_path(request->key, path, sizeof(path)))
        return err_set(err, HRUN_ERROR_CONFIG, EINVAL, "sysctl \"%s\" is not a valid name", request->key);
    owned_fd file = openat(directory, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 || write(file, request->value, strlen(request->value)) < 0)
        return err_system(err, "set sysctl %s to \"%s\"", request->key, request->value);
    return 0;
}

int sysctls_set(const struct configure* configure, struct err* err) {
    if (configure->sysctl_count == 0)
        return 0;
    owned_fd directory = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return err_system(err, "open /proc/sys");
    for (size_t i = 0; i < configure->sysctl_count; i++)
        if (set(directory, &configure->sysctls[i], err) < 0)
            return -1;
    return 0;
}
