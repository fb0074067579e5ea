// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "freeze/tables.h"

namespace hrun::freeze {

namespace {

constexpr unsigned kFirstField = 3; // behind the name, which may have anything in it
constexpr unsigned kFields = 52;

bool read_fields(uint64_t (&fields)[kFields + 1]) {
    char text[2048];
    const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    const ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = 0;
    char* at = strrchr(text, ')');
    if (!at || strlen(at) < 4)
        return fail_last("read where its parts are");
    at += 4; // the state is a letter
    for (unsigned field = kFirstField + 1; field <= kFields && *at; ++field)
        fields[field] = strtoull(at, &at, 10);
    return true;
}

} // namespace

// proc_pid_stat(5)
bool note_layout() {
    uint64_t fields[kFields + 1]{};
    if (!read_fields(fields))
        return false;
    tables.header.layout = {
        .start_code = fields[26],
        .end_code = fields[27],
        .start_data = fields[45],
        .end_data = fields[46],
        .start_brk = fields[47],
        .brk = reinterpret_cast<uint64_t>(sbrk(0)),
        .start_stack = fields[28],
        .arg_start = fields[48],
        .arg_end = fields[49],
        .env_start = fields[50],
        .env_end = fields[51],
    };
    return true;
}

} // namespace hrun::freeze
