/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of the agent. The real one has none: what the kernel's command line passes on to init is
 * ignored. The test build runs in namespaces of the host and takes
 *
 *     --listen-unix PATH   listen on a Unix socket instead of vsock
 *     --sysfs DIRECTORY    where slots are looked up instead of /sys
 */
#ifndef HRUN_OPTIONS_H
#define HRUN_OPTIONS_H

struct options {
    const char* unix_path; /* NULL: vsock */
    const char* sysfs;
};

struct options options_parse(int argc, char** argv);

#endif
