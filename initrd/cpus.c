/* SPDX-License-Identifier: Apache-2.0 */
#include "cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel_file.h"
#include "protocol.h"

#define MOST_CPUS 64 /* CONFIG_NR_CPUS, guest-kernel/fragments/x86.config */
#define PATH_SIZE 256

static bool is_there(const char* sysfs, uint64_t cpu) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%llu", sysfs, (unsigned long long)cpu);
    return access(path, F_OK) == 0;
}

/* Documentation/core-api/cpu_hotplug.rst. What is so already is no error. */
static int set_online(const char* sysfs, uint64_t cpu, bool online, struct err* err) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%llu/online", sysfs, (unsigned long long)cpu);
    if (kernel_file_write(AT_FDCWD, path, online ? "1" : "0") == 0)
        return 0;
    return err_system(err, "switch CPU %llu %s", (unsigned long long)cpu, online ? "on" : "off");
}

/* The first CPU has no switch: it is always online. */
int cpus_set_online(const char* sysfs, uint64_t count, struct err* err) {
    uint64_t present = 1;
    while (present < MOST_CPUS && is_there(sysfs, present))
        present++;
    if (count == UINT64_MAX)
        count = present;
    if (count == 0 || count > present)
        return err_set(err, HRUN_ERROR_CONFIG, EINVAL, "%llu CPUs: the machine has %llu",
                       (unsigned long long)count, (unsigned long long)present);
    for (uint64_t cpu = 1; cpu < count; cpu++)
        if (set_online(sysfs, cpu, true, err) < 0)
            return -1;
    for (uint64_t cpu = present - 1; cpu >= count; cpu--)
        if (set_online(sysfs, cpu, false, err) < 0)
            return -1;
    return 0;
}
