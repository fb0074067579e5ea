// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freeze/entries.h"
#include "freeze/shared_file.h"
#include "freeze/tables.h"

namespace hrun::freeze {

namespace {

bool read_small(const char* directory, int number, char* text, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "%s/%d", directory, number);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t count = fd < 0 ? -1 : read(fd, text, size - 1);
    close(fd);
    text[count > 0 ? count : 0] = 0;
    return count > 0;
}

uint64_t number_after(const char* text, const char* word, int base) {
    const char* at = strstr(text, word);
    return at ? strtoull(at + strlen(word), nullptr, base) : 0;
}

bool note_file(int number) {
    if (tables.header.files == kMaxFiles)
        return fail("more than %u open files", kMaxFiles);
    char path[64];
    char target[256] = {};
    char information[1024];
    snprintf(path, sizeof path, "/proc/self/fd/%d", number);
    if (readlink(path, target, sizeof target - 1) < 0 ||
        !read_small("/proc/self/fdinfo", number, information, sizeof information))
        return fail_last("look at an open file");
    OpenFile& file = tables.files[tables.header.files++];
    file.number = number;
    file.status = static_cast<uint32_t>(fcntl(number, F_GETFL));
    file.close_on_exec = fcntl(number, F_GETFD) & FD_CLOEXEC;
    struct stat st;
    if (strcmp(target, "anon_inode:[eventfd]") == 0) {
        file.kind = FileKind::kEvent;
        file.value = number_after(information, "eventfd-count:", 16);
    } else if (strcmp(target, "anon_inode:[eventpoll]") == 0) {
        file.kind = FileKind::kEpoll;
        if (strstr(information, "tfd:"))
            return fail("an epoll instance is in use");
    } else if (strcmp(target, "anon_inode:[signalfd]") == 0) {
        file.kind = FileKind::kSignal;
        file.value = number_after(information, "sigmask:", 16);
    } else if (strncmp(target, "anon_inode:", 11) == 0) {
        return fail("open file %d is of a kind that cannot be kept: %s", number, target);
    } else if (fstat(number, &st) == 0 && shared.known && st.st_dev == shared.device &&
               st.st_ino == shared.inode) {
        file.kind = FileKind::kShared;
    } else {
        file.kind = FileKind::kGiven;
    }
    return true;
}

} // namespace

bool note_files(int talk, int target) {
    Entries numbers("/proc/self/fd");
    while (const char* entry = numbers.next()) {
        const int number = atoi(entry);
        if (number != talk && number != target && number != numbers.fd() && !note_file(number))
            return false;
    }
    return tables.header.files > 0 || fail("list its open files");
}

} // namespace hrun::freeze
