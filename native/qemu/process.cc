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

#include "jail/namespaces.h"
#include "jail/privileges.h"

namespace hrun::qemu {

namespace {

constexpr int kOomScore =
    300; // a guest is a better victim for the OOM killer than the monitor that reports on it

// Places the descriptors. They are first moved out of the way, for source and target numbers may overlap.
bool place_fds(int null, int error_output, std::span<const int> fds) {
    const int count = static_cast<int>(fds.size());
    const int free_from = Process::kFirstFd + count;
    std::vector<int> moved;
    for (const int fd : fds)
        moved.push_back(fcntl(fd, F_DUPFD, free_from));
    const int error = fcntl(error_output, F_DUPFD, free_from);
    null = fcntl(null, F_DUPFD, free_from);
    bool good = dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(error, 2) == 2;
    for (int i = 0; i < count; ++i)
        good = good && dup2(moved[static_cast<size_t>(i)], Process::kFirstFd + i) >= 0;
    return good && close_range(static_cast<unsigned>(free_from), ~0u, 0) == 0;
}

// Only the child can know how those outside see it.
void tell_host_pid(int pipe) {
    const pid_t pid = jail::outer_pid();
    [[maybe_unused]] const ssize_t written = write(pipe, &pid, sizeof pid);
}

// Returns when the child is prepared: it has the pipe no more.
pid_t await_prepared(int pipe) {
    pid_t pid = 0;
    if (read(pipe, &pid, sizeof pid) != sizeof pid)
        return 0;
    for (char end; read(pipe, &end, sizeof end) != 0;) {
    }
    return pid;
}

[[noreturn]] void become(char* const* argv, pid_t parent, int error_output, std::span<const int> fds,
                         const std::function<Result<void>()>& prepare) {
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, nullptr) < 0 || setpgid(0, 0) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) // the parent died before it could matter
        _exit(127);
    jail::set_oom_score(kOomScore);
    const int null = open("/dev/null", O_RDWR); // which the program's root may not have
    if (auto prepared = prepare(); !prepared) {
        dprintf(error_output, "%s: cannot be started: %s\n", argv[0], prepared.error().message().c_str());
        _exit(127);
    }
    if (place_fds(null, error_output, fds))
        execv(argv[0], argv);
    dprintf(2, "%s: cannot be started: %m\n", argv[0]);
    _exit(127);
}

} // namespace

Result<Process> Process::spawn(const std::vector<std::string>& argv, int error_output,
                               std::span<const int> fds, const std::function<Result<void>()>& prepare) {
    std::vector<char*> words;
    for (const std::string& word : argv)
        words.push_back(const_cast<char*>(word.c_str())); // execv does not change them
    words.push_back(nullptr);
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) < 0)
        return Error::last("start " + argv.front());
    const Fd read_end(pipe[0]);
    Fd write_end(pipe[1]);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0)
        return Error::last("start " + argv.front());
    if (child == 0) {
        tell_host_pid(write_end.get());
        become(words.data(), parent, error_output, fds, prepare);
    }
    write_end.reset();
    Process process(child, await_prepared(read_end.get()),
                    Fd(static_cast<int>(syscall(SYS_pidfd_open, child, 0))));
    if (!process.pidfd_.valid())
        return Error::last("watch " + argv.front());
    return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), host_pid_(other.host_pid_), pidfd_(std::move(other.pidfd_)) {}

Process& Process::operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(host_pid_, other.host_pid_);
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
        syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

int Process::wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
}

} // namespace hrun::qemu
