// SPDX-License-Identifier: Apache-2.0
#include "freeze/frozen_process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/passed_descriptors.h"

namespace hrun::test {

namespace {

constexpr int kFirst = 3; // what the program gets besides
constexpr int kSecond = 4;
constexpr int kAside = 100;

std::string read_line(int fd) {
    std::string line;
    char byte;
    while (read(fd, &byte, 1) == 1 && byte != '\n')
        line += byte;
    return line;
}

} // namespace

Fd shared_file(const std::string& text) {
    Fd file(memfd_create("shared", MFD_CLOEXEC));
    REQUIRE(ftruncate(file.get(), 8192) == 0);
    REQUIRE(pwrite(file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    return file;
}

Subject::Subject(const Fd& shared, const std::string& mistake) {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    freezer_.reset(ends[0]);
    const Fd theirs(ends[1]);
    const char* const words[] = {HRUN_FREEZE_SUBJECT, "3", mistake.empty() ? nullptr : mistake.c_str(),
                                 nullptr};
    const char* const environment[] = {"LD_PRELOAD=" HRUN_FREEZE_LIBRARY, "HRUN_FREEZE=4", nullptr};
    run(shared, theirs, const_cast<char**>(words), const_cast<char**>(environment));
}

Subject::Subject(const Fd& image, const Fd& shared) {
    const char* const words[] = {HRUN_THAW, "4", "3", nullptr};
    const char* const environment[] = {nullptr};
    run(shared, image, const_cast<char**>(words), const_cast<char**>(environment));
}

void Subject::run(const Fd& first, const Fd& second, char* const* words, char* const* environment) {
    int input[2], output[2], errors[2];
    REQUIRE((pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0 && pipe2(errors, O_CLOEXEC) == 0));
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
        const int fds[] = {input[0], output[1], errors[1], first.get(), second.get()};
        for (int i = 0; i <= kSecond; ++i)
            dup2(fds[i], kAside + i);
        for (int i = 0; i <= kSecond; ++i)
            dup2(kAside + i, i);
        close_range(kSecond + 1, ~0u, 0);
        execve(words[0], words, environment);
        _exit(127);
    }
    input_.reset(input[1]);
    output_.reset(output[0]);
    errors_.reset(errors[0]);
    close(input[0]);
    close(output[1]);
    close(errors[1]);
}

Subject::~Subject() {
    if (pid_ <= 0)
        return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

std::string Subject::ask(char question) {
    signal(SIGPIPE, SIG_IGN);
    return write(input_.get(), &question, 1) == 1 ? read_line(output_.get()) : "";
}

std::string Subject::freeze(const Fd& image) {
    char word = 'f';
    const iovec bytes{&word, 1};
    const int fd = image.get();
    REQUIRE(send_passing(freezer_.get(), {&bytes, 1}, {&fd, 1}, 0));
    return read_line(freezer_.get());
}

std::string Subject::name() const {
    const Fd words(open(("/proc/" + std::to_string(pid_) + "/cmdline").c_str(), O_RDONLY | O_CLOEXEC));
    char text[256]{};
    return read(words.get(), text, sizeof text - 1) > 0 ? text : "";
}

std::string Subject::last_words() {
    std::string words;
    char bytes[256];
    for (ssize_t size; (size = read(errors_.get(), bytes, sizeof bytes)) > 0;)
        words.append(bytes, static_cast<size_t>(size));
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return words + (WIFEXITED(status) ? std::to_string(WEXITSTATUS(status)) : "killed");
}

} // namespace hrun::test
