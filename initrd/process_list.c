/* SPDX-License-Identifier: Apache-2.0 */
#include "process_list.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "kernel_file.h"

#define GROUP_PREFIX "0::/"
#define MAX_COMMAND 4096

struct listed {
    int pid; /* in the container */
    int parent;
    unsigned uid;
    char state;
    int terminal;
    unsigned long long ticks;
    unsigned long long started;
    unsigned long long resident_kib;
    unsigned long long virtual_kib;
    long threads;
    char name[64];
};

static const char* line_after(const char* text, const char* key) {
    const char* found = strstr(text, key);
    return found ? found + strlen(key) : "";
}

/* The pid in the innermost namespace: the last number of the line. */
static int container_pid(const char* status) {
    const char* line = line_after(status, "\nNSpid:");
    const char* last = line;
    for (; *line && *line != '\n'; line++)
        if (*line == '\t')
            last = line + 1;
    return atoi(last);
}

/* In the group, or in one below that the container has made. */
static bool in_group(int process, const char* group) {
    char text[256];
    const size_t prefix = strlen(GROUP_PREFIX), length = strlen(group);
    kernel_file_read(process, "cgroup", text, sizeof(text));
    return strncmp(text, GROUP_PREFIX, prefix) == 0 && strncmp(text + prefix, group, length) == 0 &&
           (text[prefix + length] == '\n' || text[prefix + length] == '/');
}

/* The container's pid of a process that the agent knows as `pid`; 0 for one outside. */
static int translate(int proc, const char* pid, const char* group) {
    char status[4096];
    owned_fd process = openat(proc, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0 || !in_group(process, group))
        return 0;
    kernel_file_read(process, "status", status, sizeof(status));
    return container_pid(status);
}

/* proc(5), /proc/pid/stat: the name is in parentheses and may hold any character. */
static bool read_stat(int process, struct listed* listed) {
    char stat[1024];
    kernel_file_read(process, "stat", stat, sizeof(stat));
    char* open = strchr(stat, '(');
    char* close = strrchr(stat, ')');
    unsigned long long user, system;
    if (!open || !close || close[1] == '\0')
        return false;
    *close = '\0';
    snprintf(listed->name, sizeof(listed->name), "%s", open + 1);
    if (sscanf(close + 2, "%c %*d %*d %*d %d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %ld %*d %llu",
               &listed->state, &listed->terminal, &user, &system, &listed->threads, &listed->started) != 6)
        return false;
    listed->ticks = user + system;
    return true;
}

static bool look_at(int proc, int process, const char* group, struct listed* listed) {
    char status[4096];
    if (!in_group(process, group) || !read_stat(process, listed))
        return false;
    kernel_file_read(process, "status", status, sizeof(status));
    listed->pid = container_pid(status);
    listed->uid = (unsigned)strtoul(line_after(status, "\nUid:\t"), NULL, 10);
    listed->resident_kib = strtoull(line_after(status, "\nVmRSS:"), NULL, 10);
    listed->virtual_kib = strtoull(line_after(status, "\nVmSize:"), NULL, 10);
    char parent[16];
    snprintf(parent, sizeof(parent), "%d", atoi(line_after(status, "\nPPid:\t")));
    listed->parent = translate(proc, parent, group);
    return listed->pid > 0;
}

static void print_text(const char* text, size_t length) {
    for (size_t i = 0; i < length; i++)
        putchar(iscntrl((unsigned char)text[i]) ? '?' : text[i]);
}

/* The arguments with blanks between them; in brackets the name of a process that has none. */
static void print_command(int process, const char* name) {
    char command[MAX_COMMAND];
    ssize_t length = kernel_file_read(process, "cmdline", command, sizeof(command));
    if (length <= 0) {
        putchar('[');
        print_text(name, strlen(name));
        putchar(']');
        return;
    }
    size_t end = (size_t)length;
    while (end > 0 && command[end - 1] == '\0')
        end--;
    for (size_t i = 0; i < end; i++)
        if (command[i] == '\0')
            command[i] = ' ';
    print_text(command, end);
}

static void print_process(int process, const struct listed* listed) {
    printf("%d\t%d\t%u\t%c\t%d\t%llu\t%llu\t%llu\t%llu\t%ld\t", listed->pid, listed->parent, listed->uid,
           listed->state, listed->terminal, listed->ticks, listed->started, listed->resident_kib,
           listed->virtual_kib, listed->threads);
    print_text(listed->name, strlen(listed->name));
    putchar('\t');
    print_command(process, listed->name);
    putchar('\n');
}

static void print_heading(int proc) {
    char uptime[64];
    long hz = sysconf(_SC_CLK_TCK);
    kernel_file_read(proc, "uptime", uptime, sizeof(uptime));
    printf("%ld\t%llu\n", hz, (unsigned long long)(strtod(uptime, NULL) * (double)hz));
}

void process_list_print(const char* group) {
    DIR* directory = opendir("/proc");
    if (!directory)
        return;
    int proc = dirfd(directory);
    const pid_t self = getpid();
    print_heading(proc);
    for (struct dirent* entry; (entry = readdir(directory));) {
        struct listed listed = {0};
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        owned_fd process = openat(proc, entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (process >= 0 && look_at(proc, process, group, &listed) && listed.pid != self)
            print_process(process, &listed);
    }
    fflush(stdout);
    closedir(directory);
}
