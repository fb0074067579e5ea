// SPDX-License-Identifier: Apache-2.0
#include "qemu/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <string>

#include "base/unix_socket.h"

namespace hrun::qemu {
namespace {

std::string read_all(int fd) {
    std::string all;
    char bytes[4096];
    pollfd wait{fd, POLLIN, 0};
    while (poll(&wait, 1, 60000) == 1) {
        const ssize_t count = read(fd, bytes, sizeof bytes);
        if (count <= 0)
            break;
        all.append(bytes, static_cast<size_t>(count));
    }
    return all;
}

TEST_CASE("the child gets the descriptors given, in order, and no others") {
    auto errors = unix_pair();
    const Fd first(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const Fd second(open("/dev/zero", O_RDONLY | O_CLOEXEC));
    const int fds[] = {second.get(), first.get()};
    const Fd inheritable(open("/dev/full", O_WRONLY)); // no CLOEXEC: must not get there all the same
    const std::string script = "seen=$(readlink /proc/$$/fd/*); echo \"$seen\" >&2; exit 7";
    auto process = Process::spawn({"/bin/sh", "-c", script}, errors->second.get(), fds);
    REQUIRE(process);
    errors->second.reset();
    const std::string seen = read_all(errors->first.get());
    CHECK(seen.starts_with("/dev/null\n/dev/null\nsocket:["));
    CHECK(seen.find("\n/dev/zero\n/dev/null\n") != seen.npos);
    CHECK(seen.find("/dev/full") == seen.npos);
    CHECK(WEXITSTATUS(process->wait()) == 7);
}

TEST_CASE("a program that is not there is told of on the error output") {
    auto errors = unix_pair();
    auto process = Process::spawn({"/nonexistent/qemu"}, errors->second.get(), {});
    REQUIRE(process);
    errors->second.reset();
    CHECK(read_all(errors->first.get()) ==
          "/nonexistent/qemu: cannot be started: No such file or directory\n");
    CHECK(WEXITSTATUS(process->wait()) == 127);
}

TEST_CASE("the end of the owner is the end of the child") {
    auto errors = unix_pair();
    pid_t pid = 0;
    {
        auto process = Process::spawn({"/bin/sleep", "1000"}, errors->second.get(), {});
        REQUIRE(process);
        pid = process->pid();
        CHECK(kill(pid, 0) == 0);
    }
    CHECK(kill(pid, 0) == -1);
}

TEST_CASE("a child does not outlive a parent that is killed") {
    auto errors = unix_pair();
    int pipe_fds[2];
    REQUIRE(pipe2(pipe_fds, O_CLOEXEC) == 0);
    const pid_t parent = fork();
    if (parent == 0) {
        auto process = Process::spawn({"/bin/sleep", "1000"}, errors->second.get(), {});
        const pid_t pid = process ? process->pid() : -1;
        [[maybe_unused]] const ssize_t told = write(pipe_fds[1], &pid, sizeof pid);
        pause();
    }
    pid_t child = 0;
    REQUIRE(read(pipe_fds[0], &child, sizeof child) == sizeof child);
    const Fd pidfd(static_cast<int>(syscall(434, child, 0))); // pidfd_open
    REQUIRE(pidfd.valid());
    kill(parent, SIGKILL);
    waitpid(parent, nullptr, 0);
    pollfd wait{pidfd.get(), POLLIN, 0};
    CHECK(poll(&wait, 1, 60000) == 1);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

} // namespace
} // namespace hrun::qemu
