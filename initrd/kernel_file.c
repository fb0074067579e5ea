/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

ssize_t kernel_file_read(int directory, const char* name, char* text, size_t size) {
    owned_fd file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t count = file < 0 ? -1 : 1;
    while (count > 0 && length < size - 1) {
        count = read(file, text + length, size - 1 - length);
        length += count > 0 ? (size_t)count : 0;
    }
    text[length] = '\0';
    return count < 0 ? -1 : (ssize_t)length;
}

int kernel_file_write(int directory, const char* name, const char* text) {
    owned_fd file = openat(directory, name, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    return write(file, text, strlen(text)) < 0 ? -1 : 0;
}
