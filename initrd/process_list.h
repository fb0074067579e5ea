/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's processes, as top(1) and ps(1) would show them: an image need not have either.
 */
#ifndef HRUN_PROCESS_LIST_H
#define HRUN_PROCESS_LIST_H

/* In a child of the agent's that is in the container's pid namespace and still has the agent's /proc: writes to standard
 * output. The first line is "hz ticks": ticks per second, and how many there were since the machine started. Then a
 * line for each process, fields separated by tabs: pid and parent as the container has them (parent 0: none in it), user id,
 * state, terminal (as /proc/pid/stat), ticks of CPU time, tick it was started at, resident and virtual KiB, threads, name,
 * command line. Control characters are replaced by "?". `group` is the container's control group. */
void process_list_print(const char* group);

#endif
