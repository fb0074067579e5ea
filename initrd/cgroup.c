/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"

#define GROUP CGROUP_MOUNT "/container"

/* Reads a small file as a string. */
static ssize_t read_text(int directory, const char* name, char* text, size_t size) {
    owned_fd file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, size - 1);
    text[length < 0 ? 0 : length] = '\0';
    return length;
}

static int write_text(int directory, const char* name, const char* text) {
    owned_fd file = openat(directory, name, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    return write(file, text, strlen(text)) < 0 ? -1 : 0;
}

/* "cpu memory pids" becomes "+cpu +memory +pids" in the file that hands them to the groups below. */
static int hand_down_controllers(struct err* err) {
    char available[256], wanted[512] = "";
    char* saved = NULL;
    read_text(AT_FDCWD, CGROUP_MOUNT "/cgroup.controllers", available, sizeof(available));
    for (char* name = strtok_r(available, " \n", &saved); name; name = strtok_r(NULL, " \n", &saved)) {
        size_t used = strlen(wanted);
        snprintf(wanted + used, sizeof(wanted) - used, "%s+%s", used ? " " : "", name);
    }
    if (wanted[0] && write_text(AT_FDCWD, CGROUP_MOUNT "/cgroup.subtree_control", wanted) < 0)
        return err_system(err, "enable the controllers %s", wanted);
    return 0;
}

int cgroup_make(struct err* err) {
    if (mount_at("cgroup2", "cgroup", "nosuid,nodev,noexec", CGROUP_MOUNT, err) < 0 ||
        hand_down_controllers(err) < 0)
        return -1;
    if (mkdir(GROUP, 0755) < 0)
        return err_system(err, "make control group " GROUP);
    int cgroup = open(GROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return cgroup < 0 ? err_system(err, "open control group " GROUP) : cgroup;
}

int cgroup_set_pids_max(int cgroup, uint64_t most, struct err* err) {
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)most);
    return write_text(cgroup, "pids.max", text) < 0 ? err_system(err, "limit the processes to %s", text) : 0;
}

uint64_t cgroup_oom_kills(int cgroup) {
    char events[512];
    read_text(cgroup, "memory.events", events, sizeof(events));
    const char* line = strstr(events, "oom_kill ");
    return line ? strtoull(line + strlen("oom_kill "), NULL, 10) : 0;
}
