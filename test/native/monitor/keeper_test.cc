// SPDX-License-Identifier: Apache-2.0
// The keeper with monitors that come to a bad end. Each runs in a process of its own, whose standard error is monitor.log.
#include "monitor/keeper.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "temporary_directory.h"

namespace hrun::monitor {
namespace {

constexpr char kVmJson[] =
    R"({"version": 1, "id": "%ID%", "engine": "kvm", "kernel": "/k", "initrd": "/i", "vcpus": 1,
  "memoryMiB": 64, "disks": [], "vsock": {"slot": 0, "cid": 3}, "rng": {"slot": 1}, "balloon": {"slot": 22},
  "log": {"driver": "none", "maxBytes": 0, "maxFiles": 1}, "tty": false, "stopSignal": 15, "autoRemove": %RM%,
  "bootTimeoutMs": 1000})";

std::string vm_json(bool auto_remove) {
    std::string id = std::to_string(getpid());
    id.insert(0, 64 - id.size(), '0');
    std::string json = kVmJson;
    json.replace(json.find("%ID%"), 4, id);
    json.replace(json.find("%RM%"), 4, auto_remove ? "true" : "false");
    return json;
}

struct KeptContainer {
    explicit KeptContainer(bool auto_remove = false) {
        std::filesystem::create_directory(directory.path + "/settings");
        std::ofstream(directory.path + "/settings/vm.json") << vm_json(auto_remove);
        for (const char* name :
             {"/settings/configure.bin", "/settings/start.bin", "/state.json", "/control.sock"})
            std::ofstream(directory.path + name) << "";
    }

    // Runs keeper and monitor to their end; returns the keeper's exit code.
    int run(const Keeper::Monitor& monitor) const {
        const std::string log = directory.path + "/monitor.log";
        const pid_t pid = fork();
        if (pid == 0) {
            dup2(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
            auto container = open_container(directory.path.c_str());
            std::get<Container>(container).template_path = template_path;
            Keeper keeper(std::move(std::get<Container>(container)), Keeper::Role::kContainer);
            _exit(keeper.run(Fd(), monitor, [](Container, Fd) { return 1; }));
        }
        int status = 0;
        waitpid(pid, &status, 0);
        return WEXITSTATUS(status);
    }
    bool locked() const {
        const Fd lock(openat(directory.fd.get(), "lock", O_RDWR));
        return flock(lock.get(), LOCK_EX | LOCK_NB) < 0;
    }

    test::TemporaryDirectory directory;
    std::string template_path;
};

bool contains(const std::string& text, const char* part) {
    return text.find(part) != text.npos;
}

TEST_CASE("a forbidden system call ends the monitor, and log and state name it") {
    const KeptContainer container;
    CHECK(container.run([](Container self, Fd) {
        if (self.jail->lock())
            socket(AF_INET, SOCK_STREAM, 0);
        return 0;
    }) == 1);
    const char* told = "the monitor was ended: it tried the forbidden system call socket";
    CHECK(contains(container.directory.read("monitor.log"), told));
    CHECK(contains(container.directory.read("state.json"), told));
    CHECK(contains(container.directory.read("state.json"), "\"exitCode\": 125"));
    CHECK(!container.directory.has("control.sock"));
    CHECK(!container.locked());
}

TEST_CASE("a monitor that is killed under its process leaves a state that says so") {
    const KeptContainer container;
    CHECK(container.run([](Container self, Fd) {
        self.keeper->tell(KeeperRequest::kStarted);
        signal(SIGILL, SIG_DFL);
        __builtin_trap();
        return 0;
    }) == 1);
    const std::string state = container.directory.read("state.json");
    CHECK(contains(state, "\"status\": \"exited\""));
    CHECK(contains(state, "\"exitCode\": 137"));
    CHECK(contains(state, "the VM's monitor "));
    CHECK(!contains(state, "\"startedAt\": \"\""));
}

TEST_CASE("the container of a monitor that died goes where autoRemove says") {
    const KeptContainer container(true);
    CHECK(container.run([](Container, Fd) { return 3; }) == 1);
    CHECK(access(container.directory.path.c_str(), F_OK) < 0);
}

TEST_CASE("a monitor that has finished has let go before it is answered") {
    const KeptContainer container;
    CHECK(container.run([](Container self, Fd) {
        self.lock.reset();
        self.keeper->ask(KeeperRequest::kFinished);
        const Fd lock(open("lock", O_RDWR | O_CLOEXEC));
        return flock(lock.get(), LOCK_EX | LOCK_NB) == 0 ? 0 : 1;
    }) == 0);
    CHECK(container.directory.read("monitor.log") == "");
}

TEST_CASE("what a broken monitor has planted is not followed") {
    const KeptContainer container;
    const test::TemporaryDirectory elsewhere;
    std::ofstream(elsewhere.path + "/victim") << "precious";
    REQUIRE(symlink((elsewhere.path + "/victim").c_str(),
                    (container.directory.path + "/state.json.last").c_str()) == 0);
    CHECK(container.run([](Container, Fd) { return 3; }) == 1);
    CHECK(elsewhere.read("victim") == "precious");
    CHECK(contains(container.directory.read("state.json"), "exited"));

    const KeptContainer with_pipe;
    REQUIRE(mkfifo((with_pipe.directory.path + "/state.json.last").c_str(), 0600) == 0);
    CHECK(with_pipe.run([](Container, Fd) { return 3; }) == 1);
    CHECK(contains(with_pipe.directory.read("state.json"), "exited"));
}

// A template of 64 MiB, made of nothing.
struct Template : test::TemporaryDirectory {
    Template() {
        std::ofstream(path + "/memory") << "";
        std::filesystem::resize_file(path + "/memory", 64 << 20);
        std::ofstream(path + "/state") << "state";
    }
};

TEST_CASE("a copy that fails is booted instead, once, and its template is of no use any more") {
    const Template origin;
    KeptContainer container;
    container.template_path = origin.path;
    CHECK(container.run([](Container self, Fd) {
        dprintf(STDERR_FILENO, self.origin ? "copied\n" : "booted\n");
        self.keeper->ask(KeeperRequest::kBootInstead, 1);
        if (!self.origin)
            self.keeper->ask(KeeperRequest::kFinished);
        return 0;
    }) == 0);
    CHECK(container.directory.read("monitor.log") == "copied\nbooted\n");
    CHECK(!origin.has("state"));
}

TEST_CASE("a template that is not to blame is kept") {
    const Template origin;
    KeptContainer container;
    container.template_path = origin.path;
    CHECK(container.run([](Container self, Fd) {
        self.keeper->ask(self.origin ? KeeperRequest::kBootInstead : KeeperRequest::kFinished);
        return 0;
    }) == 0);
    CHECK(origin.has("state"));
}

TEST_CASE("a template that was used by a container that ran is not given up") {
    const Template origin;
    KeptContainer container;
    container.template_path = origin.path;
    CHECK(container.run([](Container self, Fd) {
        self.keeper->tell(KeeperRequest::kStarted);
        self.keeper->ask(KeeperRequest::kBootInstead, 1);
        self.keeper->ask(KeeperRequest::kFinished);
        return 0;
    }) == 0);
    CHECK(origin.has("state"));
}

TEST_CASE("without its template, or with one whose state is empty, a machine is booted") {
    KeptContainer container;
    const Template empty;
    std::filesystem::resize_file(empty.path + "/state", 0);
    for (const std::string& path : {container.directory.path + "/none", empty.path}) {
        container.template_path = path;
        CHECK(container.run([](Container self, Fd) {
            dprintf(STDERR_FILENO, self.origin ? "copied\n" : "without\n");
            self.keeper->ask(KeeperRequest::kFinished);
            return 0;
        }) == 0);
        CHECK(contains(container.directory.read("monitor.log"), "without\n"));
    }
    CHECK(!contains(container.directory.read("monitor.log"), "copied"));
}

TEST_CASE("nonsense from the monitor changes nothing") {
    const KeptContainer container;
    CHECK(container.run([](Container self, Fd) {
        self.keeper->tell(static_cast<KeeperRequest>(77), 5);
        self.keeper->tell(KeeperRequest::kStarted, 1234567);
        for (int i = 0; i < 1000; ++i) {
            self.keeper->ask(KeeperRequest::kRunning);
            self.keeper->tell(KeeperRequest::kStarted);
            self.keeper->tell(KeeperRequest::kHealth, 1234567);
        }
        [[maybe_unused]] const ssize_t written = write(self.keeper->fd(), "x", 1);
        self.keeper->ask(KeeperRequest::kFinished);
        return 0;
    }) == 0);
}

} // namespace
} // namespace hrun::monitor
