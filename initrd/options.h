/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of the agent, which the kernel passes on from its own after `--`.
 *
 *     --template SLOT      the machine is a template; its copies will have their vsock device there
 *     --nic SLOT           it has a network interface there, as its copies will
 *
 * The test build runs in namespaces of the host and takes besides
 *
 *     --listen-unix PATH   listen on a Unix socket instead of vsock
 *     --sysfs DIRECTORY    where slots are looked up instead of /sys
 */
#ifndef HRUN_OPTIONS_H
#define HRUN_OPTIONS_H

struct options {
    const char* unix_path; /* NULL: vsock */
    int template_slot;     /* -1: no template */
    int nic_slot;          /* -1: none */
    const char* sysfs;
};

struct options options_parse(int argc, char** argv);

#endif
