/* SPDX-License-Identifier: Apache-2.0 */
#include "dev_nodes.h"

#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"
#include "root_path.h"

static const struct {
    const char* name;
    unsigned major, minor;
} nodes[] = {
    {"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

static const struct {
    const char* name;
    const char* target;
} links[] = {
    {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {"core", "/proc/kcore"},      {"ptmx", "pts/ptmx"},
};

int dev_links_make(int dev, struct err* err) {
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
            return err_system(err, "make /dev/%s", links[i].name);
    return 0;
}

/* The agent's umask is 0: modes are exact. */
int dev_nodes_make(int dev, struct err* err) {
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        if (mknodat(dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0)
            return err_system(err, "make /dev/%s", nodes[i].name);
    return dev_links_make(dev, err);
}

int dev_console_bind(int root, int terminal, struct err* err) {
    owned_fd place = root_make_file(root, "/dev/console", err);
    if (place < 0)
        return -1;
    owned_fd copy = mount_copy(terminal, err);
    return copy < 0 ? -1 : mount_attach(copy, place, "/dev/console", err);
}
