// SPDX-License-Identifier: Apache-2.0
// hrun-thaw: becomes the process whose image (image.h) it is given. docs/frozen.md.
//
//     hrun-thaw IMAGE SHARED     two numbers of open files
//
// Linked to a low address, where no position-independent program is. It keeps to static memory there, unmaps all the rest of itself, puts the
// image's memory, files and threads in place, and has each thread return from the signal that had stopped it.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "freeze/thawing.h"
#include "jail/filter.h"

namespace hrun::freeze {

Thawing thawing;

void fail(const char* what, const char* of) {
    dprintf(2, "thaw: %s%s: %s\n", what, of, strerrordesc_np(errno));
    _exit(1);
}

void refuse(const char* what) {
    dprintf(2, "thaw: %s\n", what);
    _exit(1);
}

namespace {

constexpr size_t kStackBytes = 64 << 10;

alignas(64) char stack[kStackBytes];

void read_part(void* to, size_t size, off_t& at) {
    if (pread(thawing.image, to, size, at) != static_cast<ssize_t>(size))
        refuse("the image is cut off");
    at += static_cast<off_t>(size);
}

void read_image() {
    off_t at = 0;
    Header& header = thawing.header;
    read_part(&header, sizeof header, at);
    if (memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.regions > kMaxRegions ||
        header.threads == 0 || header.threads > kMaxThreads || header.files > kMaxFiles ||
        header.text_bytes > kMaxText)
        refuse("not an image of this version");
    read_part(thawing.regions, header.regions * sizeof(Region), at);
    read_part(thawing.threads, header.threads * sizeof(Thread), at);
    read_part(thawing.files, header.files * sizeof(OpenFile), at);
    read_part(thawing.text, header.text_bytes, at);
    if (header.text_bytes > 0 && thawing.text[header.text_bytes - 1] != 0)
        refuse("the image is damaged");
}

// On a stack of its own: the one that the program began with goes.
[[noreturn]] void thaw() {
    replace_memory();
    open_files();
    close(thawing.image);
    close(thawing.shared);
    set_actions();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (const auto locked = jail::Filter::of_thawed().install(); !locked)
        refuse("it cannot be locked in");
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    start_threads();
    become_first();
}

} // namespace

} // namespace hrun::freeze

int main(int argc, char** argv) {
    using namespace hrun::freeze;
    if (argc != 3) {
        dprintf(2, "usage: hrun-thaw IMAGE SHARED\n");
        return 1;
    }
    thawing.image = atoi(argv[1]);
    thawing.shared = atoi(argv[2]);
    read_image();
    check_regions();
    set_files_aside();
    asm volatile("mov %0, %%rsp\n\t"
                 "xor %%ebp, %%ebp\n\t"
                 "call *%1\n\t"
                 :
                 : "r"(stack + kStackBytes - 64), "r"(thaw)
                 : "memory");
    __builtin_unreachable();
}
