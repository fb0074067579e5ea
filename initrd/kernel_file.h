/* SPDX-License-Identifier: Apache-2.0
 *
 * The small text files of procfs, sysfs and cgroupfs.
 */
#ifndef HRUN_KERNEL_FILE_H
#define HRUN_KERNEL_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* Reads a file as a string of at most `size` - 1 characters. Returns its length; "" and -1 when it cannot be read. */
ssize_t kernel_file_read(int directory, const char* name, char* text, size_t size);

/* Writes a string at once. -1 with errno. */
int kernel_file_write(int directory, const char* name, const char* text);

#endif
