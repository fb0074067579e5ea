/* SPDX-License-Identifier: Apache-2.0 */
#include "usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_file.h"

#define SECTOR_BYTES 512 /* of /proc/diskstats, whatever the disk's own are */
#define FILE_BYTES 8192

/* The number behind a key at the beginning of a line; 0 without it. */
static uint64_t value_of(const char* text, const char* key) {
    size_t length = strlen(key);
    for (const char* line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, length) == 0)
            return strtoull(line + length, NULL, 10);
    return 0;
}

static uint64_t number_in(int directory, const char* name) {
    char text[32];
    kernel_file_read(directory, name, text, sizeof(text));
    return strtoull(text, NULL, 10);
}

static void add_processes(struct hrun_used* used, int cgroup) {
    char text[FILE_BYTES];
    kernel_file_read(cgroup, "cpu.stat", text, sizeof(text));
    used->cpu_us = value_of(text, "usage_usec ");
    kernel_file_read(cgroup, "memory.stat", text, sizeof(text));
    used->cache_bytes = value_of(text, "file ");
    used->memory_bytes = number_in(cgroup, "memory.current");
    used->pids = number_in(cgroup, "pids.current");
    kernel_file_read(AT_FDCWD, "/proc/meminfo", text, sizeof(text));
    used->available_bytes = value_of(text, "MemTotal:") * 1024;
    const uint64_t limit = number_in(cgroup, "memory.max"); /* "max", no limit, reads as 0 */
    if (limit && limit < used->available_bytes)
        used->available_bytes = limit;
}

/* Documentation/admin-guide/iostats.rst: major minor name reads merged sectors ms writes merged sectors … */
static void add_disks(struct hrun_used* used) {
    char text[FILE_BYTES], *saved = NULL;
    kernel_file_read(AT_FDCWD, "/proc/diskstats", text, sizeof(text));
    for (char* line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
        char name[32];
        unsigned long long read, written;
        if (sscanf(line, "%*u %*u %31s %*u %*u %llu %*u %*u %*u %llu", name, &read, &written) != 3 ||
            strncmp(name, "vd", 2) != 0)
            continue;
        used->disk_read_bytes += read * SECTOR_BYTES;
        used->disk_written_bytes += written * SECTOR_BYTES;
    }
}

/* /proc/net/dev: two lines of heading, then "name: received bytes, seven more, sent bytes, …" */
static void add_interfaces(struct hrun_used* used) {
    char text[FILE_BYTES], *saved = NULL;
    kernel_file_read(AT_FDCWD, "/proc/net/dev", text, sizeof(text));
    for (char* line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
        char name[32];
        unsigned long long received, sent;
        if (sscanf(line, " %31[^: ]: %llu %*u %*u %*u %*u %*u %*u %*u %llu", name, &received, &sent) != 3 ||
            strcmp(name, "lo") == 0)
            continue;
        used->net_received_bytes += received;
        used->net_sent_bytes += sent;
    }
}

struct hrun_used usage_now(int cgroup) {
    struct hrun_used used = {0};
    add_processes(&used, cgroup);
    add_disks(&used);
    add_interfaces(&used);
    return used;
}
