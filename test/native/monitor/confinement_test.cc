// SPDX-License-Identifier: Apache-2.0
// Code that runs as the jailed monitor, in each kind of thread, tries to get out.
#include "monitor/confinement.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

#include "base/unix_socket.h"
#include "jail/namespaces.h"
#include "jail/violation.h"
#include "monitor/keeper_link.h"
#include "temporary_directory.h"

namespace hrun::monitor {
namespace {

using jail::ThreadKind;
using Attempt = std::function<long()>; // as a system call: negative and errno

constexpr int kNotJailed = 99;

// As the CLI makes one.
struct ContainerDirectory : test::TemporaryDirectory {
    ContainerDirectory() {
        mkdir((path + "/settings").c_str(), 0700);
        std::ofstream(path + "/settings/vm.json") << "{}";
    }
};

[[noreturn]] void attempt_as(ThreadKind kind, Confinement& confinement, const Attempt& attempt, uid_t user,
                             gid_t group) {
    if (!confinement.begin(user, group, false) || !confinement.enter())
        _exit(kNotJailed);
    if (kind == ThreadKind::kEventLoop) {
        if (!confinement.lock())
            _exit(kNotJailed);
        _exit(attempt() < 0 ? errno : 0);
    }
    auto lock = confinement.thread_lock(kind);
    if (!lock)
        _exit(kNotJailed);
    std::thread thread([&] {
        lock();
        _exit(attempt() < 0 ? errno : 0);
    });
    thread.join();
    _exit(kNotJailed);
}

// What became of it: "done", the errno's name, or "violation: " and the system call.
std::string outcome(ThreadKind kind, const Attempt& attempt, const std::string& directory,
                    bool namespaces = true) {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    const Fd ours(ends[0]);
    Fd theirs(ends[1]);
    const uid_t user = geteuid();
    const gid_t group = getegid();
    auto child = namespaces ? jail::fork_into_namespaces() : Result<pid_t>(fork());
    REQUIRE(child);
    if (*child == 0) {
        if (chdir(directory.c_str()) < 0)
            _exit(kNotJailed);
        Confinement confinement(namespaces ? std::nullopt : std::optional(Error{EPERM, "test"}),
                                theirs.get());
        attempt_as(kind, confinement, attempt, user, group);
    }
    theirs.reset();
    KeeperMessage message{};
    const bool told = recv(ours.get(), &message, sizeof message, 0) == sizeof message;
    kill(*child, SIGKILL);
    int status = 0;
    waitpid(*child, &status, 0);
    if (told && message.request == KeeperRequest::kViolation)
        return "violation: " + jail::system_call_name(message.argument);
    if (!WIFEXITED(status))
        return "killed by signal " + std::to_string(WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? "done" : strerrorname_np(WEXITSTATUS(status)) ?: "not jailed";
}

bool host_has_namespaces() {
    auto child = jail::fork_into_namespaces();
    if (!child)
        return false;
    if (*child == 0)
        _exit(0);
    return waitpid(*child, nullptr, 0) == *child;
}

long connect_to(sockaddr_un address, socklen_t size) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? fd : connect(fd, reinterpret_cast<const sockaddr*>(&address), size);
}

sockaddr_un unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, path.data(), path.size());
    return address;
}

struct Crime {
    const char* name;
    Attempt attempt;
    const char* system_call;
};

const Crime kCrimes[] = {
    {"start a process", [] { return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }, "clone"},
    {"fork", [] { return syscall(SYS_fork); }, "fork"},
    {"share memory with a new process",
     [] { return syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0); }, "clone"},
    {"execute a program", [] { return syscall(SYS_execve, "/bin/true", nullptr, nullptr); }, "execve"},
    {"reach the network", [] { return long{socket(AF_INET, SOCK_STREAM, 0)}; }, "socket"},
    {"speak to the kernel's network", [] { return long{socket(AF_NETLINK, SOCK_RAW, 0)}; }, "socket"},
    {"reach other guests", [] { return long{socket(AF_VSOCK, SOCK_STREAM, 0)}; }, "socket"},
    {"trace a process", [] { return ptrace(PTRACE_ATTACH, 2, nullptr, nullptr); }, "ptrace"},
    {"write to a process", [] { return syscall(SYS_process_vm_writev, 1, nullptr, 0, nullptr, 0, 0); },
     "process_vm_writev"},
    {"kill a process", [] { return syscall(SYS_kill, -1, SIGKILL); }, "kill"},
    {"kill another thread group", [] { return syscall(SYS_tgkill, 2, 2, SIGKILL); }, "tgkill"},
    {"mount", [] { return long{mount("none", "/", "tmpfs", 0, nullptr)}; }, "mount"},
    {"change the root back", [] { return syscall(SYS_chroot, "."); }, "chroot"},
    {"enter a namespace", [] { return syscall(SYS_unshare, CLONE_NEWUSER); }, "unshare"},
    {"run new code",
     [] { return syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); },
     "mmap"},
    {"create a VM", [] { return syscall(SYS_ioctl, 0, 0xae01, 0); }, "ioctl"},
    {"let go of the container's lock", [] { return syscall(SYS_flock, 0, 8); }, "flock"},
    {"undo its filter", [] { return syscall(SYS_prctl, 22, 0, 0, 0, 0); }, "prctl"},
};

TEST_CASE("no thread of the jailed monitor gets out, and each attempt is told by name" *
          doctest::skip(!host_has_namespaces())) {
    const ContainerDirectory directory;
    for (const ThreadKind kind : {ThreadKind::kEventLoop, ThreadKind::kVcpu, ThreadKind::kDiskWorker})
        for (const Crime& crime : kCrimes) {
            CAPTURE(jail::name_of(kind));
            CAPTURE(crime.name);
#ifdef HRUN_SANITIZED
            if (std::string_view("clone mmap prctl").find(crime.system_call) != std::string_view::npos)
                continue; // the sanitizer's run-time needs them
#endif
            CHECK(outcome(kind, crime.attempt, directory.path) ==
                  std::string("violation: ") + crime.system_call);
        }
}

TEST_CASE("the event loop sees the container's directory and no file of the host" *
          doctest::skip(!host_has_namespaces())) {
    const ContainerDirectory directory;
    const auto open_of = [](const char* path, int flags) {
        return [path, flags] { return long{openat(AT_FDCWD, path, flags, 0600)}; };
    };
    std::ofstream(directory.path + "/inside") << "x";
    const std::string outside = directory.path + "/inside";
    const ThreadKind loop = ThreadKind::kEventLoop;
    CHECK(outcome(loop, open_of("inside", O_RDONLY), directory.path) == "done");
    CHECK(outcome(loop, open_of("new", O_WRONLY | O_CREAT), directory.path) == "done");
    CHECK(outcome(loop, open_of(outside.c_str(), O_RDONLY), directory.path) == "ENOENT");
    for (const char* path :
         {"/etc/passwd", "../../etc/passwd", "/proc/self/status", "/proc/1/mem", "/dev/kvm", "/sys"}) {
        CAPTURE(path);
        CHECK(outcome(loop, open_of(path, O_RDONLY), directory.path) == "ENOENT");
    }
    for (const ThreadKind kind : {ThreadKind::kVcpu, ThreadKind::kDiskWorker})
        CHECK(outcome(kind, open_of("inside", O_RDONLY), directory.path) == "violation: openat");
}

TEST_CASE("what the next start believes can be read in the jail, not changed" *
          doctest::skip(!host_has_namespaces())) {
    const ContainerDirectory directory;
    std::ofstream(directory.path + "/mine") << "{}";
    const ThreadKind loop = ThreadKind::kEventLoop;
    const auto open_of = [](const char* path, int flags) {
        return [path, flags] { return long{openat(AT_FDCWD, path, flags, 0600)}; };
    };
    const auto rename_of = [](const char* from, const char* to) {
        return [from, to] { return long{renameat(AT_FDCWD, from, AT_FDCWD, to)}; };
    };
    const auto unlink_of = [](const char* path, int flags) {
        return [path, flags] { return long{unlinkat(AT_FDCWD, path, flags)}; };
    };
    CHECK(outcome(loop, open_of("settings/vm.json", O_RDONLY), directory.path) == "done");
    CHECK(outcome(loop, open_of("settings/vm.json", O_RDWR), directory.path) == "EROFS");
    CHECK(outcome(loop, open_of("settings/vm.json", O_RDONLY | O_TRUNC), directory.path) == "EROFS");
    CHECK(outcome(loop, open_of("settings/new", O_WRONLY | O_CREAT), directory.path) == "EROFS");
    CHECK(outcome(loop, unlink_of("settings/vm.json", 0), directory.path) == "EROFS");
    CHECK(outcome(loop, rename_of("mine", "settings/vm.json"), directory.path) == "EXDEV");
    CHECK(outcome(loop, rename_of("settings/vm.json", "mine"), directory.path) == "EXDEV");
    CHECK(outcome(loop, rename_of("settings", "moved"), directory.path) != "done");
    CHECK(outcome(loop, unlink_of("settings", AT_REMOVEDIR), directory.path) != "done");
    CHECK(std::filesystem::file_size(directory.path + "/settings/vm.json") == 2);
}

TEST_CASE("a Unix socket of the event loop reaches the container's directory alone" *
          doctest::skip(!host_has_namespaces())) {
    const ContainerDirectory directory;
    const test::TemporaryDirectory elsewhere;
    auto inside = listen_unix(directory.fd.get(), "inside.sock");
    auto outside = listen_unix(elsewhere.fd.get(), "outside.sock");
    REQUIRE(inside);
    REQUIRE(outside);
    const auto connect_by_path = [](const std::string& path) {
        return [path] { return connect_to(unix_address(path), sizeof(sockaddr_un)); };
    };
    const std::string abstract = std::string(1, '\0') + "hrun-test-" + std::to_string(getpid());
    const Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + abstract.size());
    const sockaddr_un address = unix_address(abstract);
    REQUIRE(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(listen(listener.get(), 1) == 0);
    REQUIRE(connect_to(address, size) == 0); // so much for the host

    const ThreadKind loop = ThreadKind::kEventLoop;
    CHECK(outcome(loop, connect_by_path("inside.sock"), directory.path) == "done");
    CHECK(outcome(loop, connect_by_path(elsewhere.path + "/outside.sock"), directory.path) == "ENOENT");
    CHECK(outcome(
              loop, [=] { return connect_to(address, size); }, directory.path) == "ECONNREFUSED");
}

TEST_CASE("on a host that refuses namespaces the filter and Landlock still hold") {
    const ContainerDirectory directory;
    std::ofstream(directory.path + "/inside") << "x";
    const auto open_of = [](const char* path) {
        return [path] { return long{openat(AT_FDCWD, path, O_RDONLY)}; };
    };
    const ThreadKind loop = ThreadKind::kEventLoop;
    CHECK(outcome(
              loop, [] { return long{socket(AF_INET, SOCK_STREAM, 0)}; }, directory.path, false) ==
          "violation: socket");
    CHECK(outcome(loop, open_of("inside"), directory.path, false) == "done");
    if (syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) > 0) // its version: there is Landlock
        CHECK(outcome(loop, open_of("/etc/passwd"), directory.path, false) == "EACCES");
}

} // namespace
} // namespace hrun::monitor
