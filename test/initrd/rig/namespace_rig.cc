// SPDX-License-Identifier: Apache-2.0
#include "rig/namespace_rig.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

namespace hrun::test {
namespace {

constexpr const char* AGENT = HRUN_INITRD_BUILD "/hrun-agent-test";

void check(int result, const char* what) {
    if (result < 0)
        throw std::runtime_error(std::string(what) + ": " + strerror(errno));
}

// Where cgroup version 2 is on this host, or nothing.
std::string cgroup2_mount() {
    std::ifstream mounts("/proc/self/mounts");
    std::string device, path, type, rest;
    while (mounts >> device >> path >> type && std::getline(mounts, rest))
        if (type == "cgroup2")
            return path;
    return "";
}

// A group nobody else uses, so that the agent's cgroup namespace is its own too.
std::string new_group() {
    static std::atomic<int> count = 0;
    return cgroup2_mount() + "/hrun-test-" + std::to_string(getpid()) + "-" + std::to_string(count++);
}

// Removes the group once its last process, killed with its namespace, is gone.
void remove_group(const std::string& group) {
    for (int attempt = 0; attempt < 100; attempt++, usleep(10000)) {
        rmdir((group + "/container").c_str());
        if (rmdir(group.c_str()) == 0 || errno == ENOENT)
            return;
    }
}

} // namespace

TemporaryDirectory::TemporaryDirectory() {
    char name[] = "/tmp/hrun-agent-XXXXXX";
    if (!mkdtemp(name))
        throw std::runtime_error("mkdtemp failed");
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string run_command(const std::string& command) {
    FILE* pipe = popen(("set -e; " + command).c_str(), "r");
    std::string output;
    std::array<char, 4096> buffer;
    for (size_t count; pipe && (count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        output.append(buffer.data(), count);
    if (!pipe || pclose(pipe) != 0)
        throw std::runtime_error("failed: " + command);
    return output;
}

LoopDevice::LoopDevice(const std::string& file, bool read_only) {
    path_ = run_command("losetup -f --show " + std::string(read_only ? "-r " : "") + file);
    path_.pop_back();
}

LoopDevice::~LoopDevice() {
    if (!path_.empty())
        run_command("losetup -d " + path_);
}

std::string rig_obstacle() {
    if (geteuid() != 0)
        return "needs root";
    if (cgroup2_mount().empty())
        return "needs a cgroup2 mount";
    if (access("/dev/loop-control", R_OK | W_OK) != 0)
        return "needs loop devices";
    if (access(AGENT, X_OK) != 0)
        return std::string("needs ") + AGENT;
    return "";
}

NamespaceRig::NamespaceRig() {
    std::filesystem::create_directories(directory_.path("sysfs/bus/platform/devices"));
    std::filesystem::create_directories(directory_.path("root"));
}

NamespaceRig::~NamespaceRig() {
    if (agent_ > 0) {
        kill(agent_, SIGKILL);
        wait();
    }
}

// Says in a made-up sysfs that the next slot's device is this disk or interface.
uint32_t NamespaceRig::add_device(const std::string& kind, const std::string& name) {
    const std::string slot = std::to_string(slots_);
    std::filesystem::create_directories(directory_.path("sysfs/bus/platform/devices/virtio-mmio." + slot) +
                                        "/virtio" + slot + "/" + kind + "/" + name);
    return slots_++;
}

uint32_t NamespaceRig::add_disk(const std::string& file, bool read_only) {
    disks_.emplace_back(file, read_only);
    return add_device("block", disks_.back().path().substr(strlen("/dev/")));
}

uint32_t NamespaceRig::add_interface() {
    interfaces_.push_back("eth" + std::to_string(interfaces_.size()));
    return add_device("net", interfaces_.back());
}

// The same script makes the same image: each is made once for all rigs of this process.
static std::string layer_image(const std::string& script) {
    static TemporaryDirectory directory;
    static std::map<std::string, std::string> images;
    auto [entry, is_new] = images.try_emplace(script, directory.path(std::to_string(images.size())));
    const std::string& image = entry->second;
    if (is_new)
        run_command("mkdir " + image + ".tree; cd " + image + ".tree; " + script + "; mkfs.erofs -T0 " +
                    image + " " + image + ".tree >/dev/null 2>&1; rm -rf " + image + ".tree");
    return image;
}

uint32_t NamespaceRig::add_layer(const std::string& script) {
    return add_disk(layer_image(script), true);
}

uint32_t NamespaceRig::add_writable() {
    run_command("truncate -s 64M " + writable_file() + "; mke2fs -q -t ext4 " + writable_file());
    return add_disk(writable_file(), false);
}

// In the child: namespaces as a machine has them, a root with the directories of the initrd, then the agent.
void NamespaceRig::become_agent() {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::string root = directory_.path("root");
    for (const std::string& name : interfaces_)
        run_command("ip link add " + name + " type veth peer name " + name + "-host; ip link set " + name +
                    "-host up");
    check(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private");
    check(mount("tmpfs", root.c_str(), "tmpfs", 0, "mode=755"), "mount the agent's root");
    for (const char* name : {"container", "dev", "files", "layers", "proc", "sys", "writable"})
        check(mkdir((root + "/" + name).c_str(), 0755), name);
    run_command("cp " + std::string(AGENT) + " " + root + "/init; cp -r " + directory_.path("sysfs") + " " +
                root + "/slots");
    check(chdir(root.c_str()), "chdir");
    check(static_cast<int>(syscall(SYS_pivot_root, ".", ".")), "pivot_root");
    check(umount2(".", MNT_DETACH), "leave the host's root");
    close_range(STDERR_FILENO + 1, ~0u, 0);
    execl("/init", "/init", "--listen-unix", "/agent.sock", "--sysfs", "/slots", nullptr);
    _exit(126);
}

void NamespaceRig::start() {
    group_ = new_group();
    run_command("mkdir " + group_);
    pid_t starter = fork();
    check(starter, "fork");
    if (starter == 0) {
        std::ofstream(group_ + "/cgroup.procs") << getpid() << std::flush;
        check(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                      CLONE_NEWCGROUP),
              "unshare");
        pid_t agent = fork();
        if (agent == 0)
            become_agent();
        prctl(PR_SET_NAME, "agent-rig");
        int status = 0;
        waitpid(agent, &status, 0);
        // Hands the way it ended on.
        if (WIFSIGNALED(status)) {
            signal(WTERMSIG(status), SIG_DFL);
            kill(getpid(), WTERMSIG(status));
        }
        _exit(WEXITSTATUS(status));
    }
    agent_ = starter;
}

int NamespaceRig::wait() {
    int status = 0;
    waitpid(agent_, &status, 0);
    agent_ = 0;
    remove_group(group_);
    return status;
}

Wire NamespaceRig::connect_to(const std::string& name) const {
    std::string children =
        "/proc/" + std::to_string(agent_) + "/task/" + std::to_string(agent_) + "/children";
    for (int attempt = 0; attempt < 6000; attempt++, usleep(10000)) {
        pid_t pid = 0;
        std::ifstream(children) >> pid;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{AF_UNIX, {}};
        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/%d/root/%s", pid, name.c_str());
        if (pid > 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0)
            return Wire(fd);
        close(fd);
    }
    throw std::runtime_error("the agent does not listen");
}

} // namespace hrun::test
