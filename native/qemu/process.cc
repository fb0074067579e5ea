// SPDX-License-Identifier: Apache-2.0
#include "qemu/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstdlib>
#include <utility>

namespace hrun::qemu {

namespace {

// Places the descriptors. They are first moved out of the way, for source and target numbers may overlap.
bool place_fds(int error_output, std::span<const int> fds) {
    const int count = static_cast<int>(fds.size());
    const int free_from = Process::kFirstFd + count;
    std::vector<int> moved;
    for (const int fd : fds)
        moved.push_back(fcntl(fd, F_DUPFD, free_from));
    const int error = fcntl(error_output, F_DUPFD, free_from);
    const int null = open("/dev/null", O_RDWR);
    bool good = dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(error, 2) == 2;
    for (int i = 0; i < count; ++i)
        good = good && dup2(moved[static_cast<size_t>(i)], Process::kFirstFd + i) >= 0;
    return good && close_range(static_cast<unsigned>(free_from), ~0u, 0) == 0;
}

// A guest is a better victim for the OOM killer than the monitor that reports on it.
void prefer_for_oom() {
    const Fd score(open("/proc/self/oom_score_adj", O_WRONLY));
    if (score.valid()) [[maybe_unused]]
        const ssize_t written = write(score.get(), "300", 3);
}

[[noreturn]] void become(char* const* argv, pid_t parent, int error_output, std::span<const int> fds) {
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, nullptr) < 0 || setpgid(0, 0) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) // the parent died before it could matter
        _exit(127);
    prefer_for_oom();
    if (place_fds(error_output, fds))
        execv(argv[0], argv);
    dprintf(2, "%s: cannot be started: %m\n", argv[0]);
    _exit(127);
}

} // namespace

Result<Process> Process::spawn(const std::vector<std::string>& argv, int error_output,
                               std::span<const int> fds) {
    std::vector<char*> words;
    for (const std::string& word : argv)
        words.push_back(const_cast<char*>(word.c_str())); // execv does not change them
    words.push_back(nullptr);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0)
        return Error::last("start " + argv.front());
    if (child == 0)
        become(words.data(), parent, error_output, fds);
    Process process(child, Fd(static_cast<int>(syscall(SYS_pidfd_open, child, 0))));
    if (!process.pidfd_.valid())
        return Error::last("watch " + argv.front());
    return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}

Process& Process::operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pidfd_, other.pidfd_);
    return *this;
}

Process::~Process() {
    if (!running())
        return;
    kill();
    wait();
}

void Process::kill() const {
    if (running())
        ::kill(pid_, SIGKILL);
}

int Process::wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
}

} // namespace hrun::qemu
