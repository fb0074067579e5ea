// SPDX-License-Identifier: Apache-2.0
#include "monitor/qemu_process.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/unix_socket.h"
#include "boot/x86_64/mp_table.h"
#include "jail/filter.h"
#include "jail/privileges.h"
#include "memory/memory_file.h"

namespace hrun::monitor {

namespace {

constexpr size_t kMaxErrorLine = 512;
constexpr int kReadsPerTurn = 16;
constexpr boot::IoApic kIoApics[] = {{0xfec00000, 24}, {0xfec10000, 24}}; // hw/i386/microvm.c

// Names of what QEMU loads by path, in the root that it gets.
constexpr char kKernel[] = "kernel";
constexpr char kInitrd[] = "initrd";
constexpr char kMpTable[] = "mp-table";
constexpr char kDescriptors[] = "fd";
constexpr char kFreezer[] = "hrun-freeze.so";
constexpr char kThaw[] = "hrun-thaw";
constexpr char kOwnProc[] = "proc/self"; // of the process

std::string mp_table_bytes(uint32_t vcpus) {
    const auto bytes =
        boot::mp_table({vcpus, {std::begin(kIoApics), std::end(kIoApics)}}, qemu::kMpTableAddress);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The MP table as a file for a QEMU without a root of its own.
Result<Fd> mp_table_file(const std::string& bytes) {
    auto file = create_memory_file("mp-table", bytes.size());
    if (!file)
        return file;
    if (pwrite(file->get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        return Error::last("write MP table");
    return file;
}

// Of a program that stands beside this one.
std::string program_path(const std::string& name) {
    char path[PATH_MAX]{};
    const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    const std::string own(path, size > 0 ? static_cast<size_t>(size) : 0);
    return own.substr(0, own.rfind('/') + 1) + name;
}

} // namespace

int HandedOver::add(Fd fd) {
    numbers_.push_back(fd.get());
    owners_.push_back(std::move(fd));
    return qemu::Process::kFirstFd + static_cast<int>(numbers_.size()) - 1;
}

qemu::Nic qemu_nic(Nic nic, HandedOver& fds) {
    qemu::Nic device{nic.config.slot, {}, nic.config.mac, nic.config.mtu, nic.config.passt.has_value()};
    for (Fd& fd : *nic.backend)
        device.fds.push_back(fds.add(std::move(fd)));
    return device;
}

std::string QemuProcess::path_of(int number) const {
    return (container_.jail->own_mounts() ? std::string("/") + kDescriptors + "/" : "/proc/self/fd/") +
           std::to_string(number);
}

Result<qemu::Config> QemuProcess::prepare(qemu::Role role, HandedOver& fds) {
    auto qmp = unix_pair();
    auto console = unix_pair();
    auto errors = unix_pair();
    if (!qmp || !console || !errors)
        return Error{EMFILE, "create QEMU's sockets"};
    qmp_ = std::make_unique<qemu::Qmp>(std::move(qmp->first),
                                       [this](const qemu::Event& event) { handle_event(event); });
    HRUN_TRY(role == qemu::Role::kThawed ? qmp_->resume(loop_) : qmp_->start(loop_));
    HRUN_TRY(open_console(std::move(console->first)));
    HRUN_TRY(open_error_output(std::move(errors->first)));
    error_input_ = std::move(errors->second);

    qemu::Config qemu;
    qemu.role = role;
    qemu.binary = config_.qemu_binary;
    qemu.accel = config_.accel;
    qemu.vcpus = config_.vcpus;
    qemu.memory_mib = config_.memory_mib;
    qemu.vsock_slot = config_.vsock_slot;
    qemu.rng_slot = config_.rng_slot;
    qemu.balloon_slot = config_.balloon_slot;
    qemu.qmp_fd = fds.add(std::move(qmp->second));
    qemu.console_fd = fds.add(std::move(console->second));
    fds.add(Fd(fcntl(container_.lock.get(), F_DUPFD_CLOEXEC, 0))); // while QEMU lives, the container is held
    if (role == qemu::Role::kBooted || role == qemu::Role::kTemplate)
        HRUN_TRY(prepare_boot(qemu, fds));
    return qemu;
}

Result<void> QemuProcess::prepare_boot(qemu::Config& qemu, HandedOver& fds) {
    std::string table = mp_table_bytes(config_.vcpus);
    qemu.tsc_khz = tsc_.khz();
    if (container_.jail->own_mounts()) {
        root_files_ = {
            {kKernel, config_.kernel, {}}, {kInitrd, config_.initrd, {}}, {kMpTable, {}, std::move(table)}};
        const std::string root = "/";
        qemu.kernel = root + kKernel;
        qemu.initrd = root + kInitrd;
        qemu.mp_table = root + kMpTable;
        return {};
    }
    auto file = mp_table_file(table);
    if (!file)
        return file.error();
    qemu.mp_table = path_of(fds.add(std::move(*file)));
    qemu.kernel = path_of(fds.add(std::move(*container_.files.kernel)));
    qemu.initrd = path_of(fds.add(std::move(*container_.files.initrd)));
    return {};
}

// The process that is to be saved, and those that are thawed, have what is in its memory at the same paths.
void QemuProcess::prepare_freezing(int number) {
    freezer_ = number;
    root_files_.push_back({kOwnProc, "/proc/self", {}});
}

Result<void> QemuProcess::spawn(const qemu::Config& config, const HandedOver& fds) {
    if (freezer_ >= 0)
        root_files_.push_back({kFreezer, program_path("libhrun-freeze.so"), {}, true});
    return become(qemu::command_line(config), fds);
}

Result<void> QemuProcess::thaw(int image, int memory, const HandedOver& fds) {
    root_files_.push_back({kFreezer, program_path("libhrun-freeze.so"), {}, true});
    root_files_.push_back({kThaw, program_path("hrun-thaw"), {}, true});
    return become({std::string("/") + kThaw, std::to_string(image), std::to_string(memory)}, fds);
}

Result<void> QemuProcess::become(const std::vector<std::string>& words, const HandedOver& fds) {
    auto process = qemu::Process::spawn(words, error_input_.get(), fds.numbers(),
                                        [this] { return enter_root(config_.qemu_binary); });
    if (!process)
        return process.error();
    process_ = std::move(*process);
    error_input_.reset();
    HRUN_TRY(container_.jail->enter());
    auto ended = loop_.watch(process_.pidfd(), EPOLLIN, [this](uint32_t) { collect(); });
    if (!ended)
        return ended.error();
    ended_ = std::move(*ended);
    return {};
}

// In the child. A root with nothing but QEMU and what it loads by path, no privileges, and its own sandbox on top.
Result<void> QemuProcess::enter_root(const std::string& binary) {
    root_files_.push_back({kDescriptors, "/proc/self/fd", {}});
    std::vector<std::string> devices;
    if (config_.accel == "kvm")
        devices.emplace_back("/dev/kvm");
    if (container_.jail->own_mounts())
        HRUN_TRY(jail::enter_program_root(".", binary, root_files_, devices));
    if (freezer_ >= 0 && (setenv("LD_PRELOAD", (std::string("/") + kFreezer).c_str(), 1) < 0 ||
                          setenv("HRUN_FREEZE", std::to_string(freezer_).c_str(), 1) < 0))
        return Error::last("set its environment");
    HRUN_TRY(jail::drop_privileges());
    return jail::Filter::of_program().install();
}

Result<void> QemuProcess::open_console(Fd source) {
    auto console = Console::open(kContainerDirectory, events_.panicked);
    if (!console)
        return console.error();
    console_ = std::move(*console);
    console_output_ = std::move(source);
    auto watch = loop_.watch(console_output_.get(), EPOLLIN, [this](uint32_t) { read_console(); });
    if (!watch)
        return watch.error();
    console_watch_ = std::move(*watch);
    return {};
}

void QemuProcess::read_console() {
    char bytes[4096];
    for (int i = 0; i < kReadsPerTurn; ++i) {
        const ssize_t count = recv(console_output_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        if (count == 0)
            console_watch_.reset();
        if (count <= 0)
            return;
        console_->append({bytes, static_cast<size_t>(count)});
        if (events_.said)
            events_.said();
    }
}

Result<void> QemuProcess::open_error_output(Fd source) {
    error_output_ = std::move(source);
    auto watch = loop_.watch(error_output_.get(), EPOLLIN, [this](uint32_t) { read_error_output(); });
    if (!watch)
        return watch.error();
    error_watch_ = std::move(*watch);
    return {};
}

// What QEMU says goes to monitor.log; its last line is kept for whoever asks why it ended.
void QemuProcess::read_error_output() {
    char bytes[1024];
    const ssize_t count = read(error_output_.get(), bytes, sizeof bytes);
    if (count == 0)
        error_watch_.reset();
    if (count <= 0)
        return;
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, bytes, static_cast<size_t>(count));
    for (const char byte : std::string_view(bytes, static_cast<size_t>(count))) {
        if (error_line_.ends_with('\n'))
            error_line_.clear();
        if (error_line_.size() < kMaxErrorLine)
            error_line_ += byte;
    }
}

void QemuProcess::handle_event(const qemu::Event& event) {
    if (event.kind == qemu::Event::Kind::kShutdown)
        shutdown_reason_ = event.detail;
    else
        events_.qmp(event);
}

void QemuProcess::collect() {
    ended_.reset();
    status_ = process_.wait();
    read_console();
    qmp_->drain();
    read_error_output();
    events_.gone();
}

std::string QemuProcess::why_gone() const {
    if (!console_->panic().empty())
        return "the guest's kernel panicked: " + console_->panic();
    std::string line = error_line_.substr(0, error_line_.find('\n'));
    if (WIFEXITED(status_) && WEXITSTATUS(status_) == 0)
        return "the guest stopped the machine (" +
               (shutdown_reason_.empty() ? "no reason given" : shutdown_reason_) +
               "); last console line: " + console_->last_line();
    if (!line.empty())
        return line;
    if (WIFSIGNALED(status_))
        return "QEMU was killed by signal " + std::to_string(WTERMSIG(status_)) + " (" +
               sigdescr_np(WTERMSIG(status_)) + ")";
    return "QEMU ended with exit code " + std::to_string(WEXITSTATUS(status_));
}

} // namespace hrun::monitor
