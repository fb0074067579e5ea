/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "kernel_file.h"
#include "mounts.h"

#define FREEZE_WAIT_MS 1000 /* for a process that is deep in the kernel; it stops when it comes out */

/* "cpu memory pids" becomes "+cpu +memory +pids" in the file that hands them to the groups below. */
static int hand_down_controllers(struct err* err) {
    char available[256], wanted[512] = "";
    char* saved = NULL;
    kernel_file_read(AT_FDCWD, CGROUP_MOUNT "/cgroup.controllers", available, sizeof(available));
    for (char* name = strtok_r(available, " \n", &saved); name; name = strtok_r(NULL, " \n", &saved)) {
        size_t used = strlen(wanted);
        snprintf(wanted + used, sizeof(wanted) - used, "%s+%s", used ? " " : "", name);
    }
    if (wanted[0] && kernel_file_write(AT_FDCWD, CGROUP_MOUNT "/cgroup.subtree_control", wanted) < 0)
        return err_system(err, "enable the controllers %s", wanted);
    return 0;
}

int cgroup_mount(struct err* err) {
    if (mount_at("cgroup2", "cgroup", "nosuid,nodev,noexec", CGROUP_MOUNT, err) < 0)
        return -1;
    return hand_down_controllers(err);
}

int cgroup_make(const char* name, struct err* err) {
    char path[64];
    snprintf(path, sizeof(path), CGROUP_MOUNT "/%s", name);
    if (mkdir(path, 0755) < 0)
        return err_system(err, "make control group %s", path);
    int cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return cgroup < 0 ? err_system(err, "open control group %s", path) : cgroup;
}

void cgroup_kill(int cgroup) {
    kernel_file_write(cgroup, "cgroup.kill", "1");
}

bool cgroup_is_empty(int cgroup) {
    char events[128];
    kernel_file_read(cgroup, "cgroup.events", events, sizeof(events));
    return strstr(events, "populated 0") != NULL;
}

void cgroup_remove(const char* name) {
    char path[64];
    snprintf(path, sizeof(path), CGROUP_MOUNT "/%s", name);
    rmdir(path);
}

static int set_limit(int cgroup, const char* file, uint64_t most, struct err* err) {
    char text[24] = "max";
    if (most != UINT64_MAX)
        snprintf(text, sizeof(text), "%llu", (unsigned long long)most);
    return kernel_file_write(cgroup, file, text) < 0 ? err_system(err, "set %s to %s", file, text) : 0;
}

int cgroup_set_pids_max(int cgroup, uint64_t most, struct err* err) {
    return set_limit(cgroup, "pids.max", most, err);
}

int cgroup_set_memory_max(int cgroup, uint64_t most, struct err* err) {
    return set_limit(cgroup, "memory.max", most, err);
}

uint64_t cgroup_oom_kills(int cgroup) {
    char events[512];
    kernel_file_read(cgroup, "memory.events", events, sizeof(events));
    const char* line = strstr(events, "oom_kill ");
    return line ? strtoull(line + strlen("oom_kill "), NULL, 10) : 0;
}

static bool is_frozen(int events) {
    char text[128];
    ssize_t length = pread(events, text, sizeof(text) - 1, 0);
    text[length < 0 ? 0 : length] = '\0';
    return strstr(text, "frozen 1") != NULL;
}

/* The kernel raises POLLPRI on every change of cgroup.events. */
int cgroup_freeze(int cgroup, bool frozen, struct err* err) {
    owned_fd events = openat(cgroup, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if (events < 0 || kernel_file_write(cgroup, "cgroup.freeze", frozen ? "1" : "0") < 0)
        return err_system(err, frozen ? "freeze the container" : "thaw the container");
    struct pollfd change = {.fd = events, .events = POLLPRI};
    while (is_frozen(events) != frozen)
        if (poll(&change, 1, FREEZE_WAIT_MS) <= 0)
            break;
    return 0;
}

bool cgroup_is_frozen(int cgroup) {
    char text[8];
    kernel_file_read(cgroup, "cgroup.freeze", text, sizeof(text));
    return text[0] == '1';
}
