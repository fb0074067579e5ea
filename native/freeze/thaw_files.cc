// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "freeze/thawing.h"

namespace hrun::freeze {

namespace {

int moved(int fd, int from) {
    const int higher = fcntl(fd, F_DUPFD_CLOEXEC, from);
    if (higher < 0)
        fail("move an open file");
    close(fd);
    return higher;
}

int create(const OpenFile& file) {
    const int nonblocking = file.status & O_NONBLOCK;
    switch (file.kind) {
    case FileKind::kEvent:
        return eventfd(static_cast<unsigned>(file.value), nonblocking ? EFD_NONBLOCK : 0);
    case FileKind::kEpoll:
        return epoll_create1(0);
    case FileKind::kSignal:
        return static_cast<int>(
            syscall(SYS_signalfd4, -1, &file.value, sizeof file.value, nonblocking ? O_NONBLOCK : 0));
    case FileKind::kShared:
        return dup(thawing.shared);
    case FileKind::kGiven:
        return -1;
    }
    refuse("the image is damaged");
}

} // namespace

void set_files_aside() {
    int highest = 2;
    for (uint32_t i = 0; i < thawing.header.files; ++i)
        if (thawing.files[i].number > highest)
            highest = thawing.files[i].number;
    thawing.image = moved(thawing.image, highest + 1);
    thawing.shared = fcntl(thawing.shared, F_DUPFD_CLOEXEC, highest + 1);
}

void open_files() {
    for (uint32_t i = 0; i < thawing.header.files; ++i) {
        const OpenFile& file = thawing.files[i];
        if (file.kind != FileKind::kGiven) {
            const int fd = create(file);
            if (fd < 0 || (fd != file.number && (dup3(fd, file.number, O_CLOEXEC) < 0 || close(fd) < 0)))
                fail("open a file");
        }
        if (fcntl(file.number, F_SETFD, file.close_on_exec) < 0 ||
            fcntl(file.number, F_SETFL, file.status) < 0)
            fail("set up an open file");
    }
}

} // namespace hrun::freeze
