// SPDX-License-Identifier: Apache-2.0
#include "jail/privileges.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "doctest/doctest.h"

using hrun::Fd;

namespace {

// What becomes of a child whose lifeline's other end is closed before it asks to die with its parent, or is not.
int status_of_child(bool is_orphan) {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    Fd ours(ends[0]), theirs(ends[1]);
    if (is_orphan)
        ours.reset();
    const pid_t pid = fork();
    if (pid == 0) {
        ours.reset();
        _exit(hrun::jail::die_with_parent(theirs.get()) ? 0 : 1);
    }
    int status = -1;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return status;
}

} // namespace

TEST_CASE("a process whose parent has died before it could ask dies without a word") {
    const int status = status_of_child(true);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGKILL);
}

TEST_CASE("a process whose parent lives goes on") {
    CHECK(status_of_child(false) == 0);
}
