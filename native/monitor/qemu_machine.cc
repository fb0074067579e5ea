// SPDX-License-Identifier: Apache-2.0
#include "monitor/qemu_machine.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <cstring>

#include "base/unix_socket.h"
#include "boot/x86_64/mp_table.h"
#include "jail/filter.h"
#include "jail/privileges.h"
#include "jail/program_root.h"
#include "memory/memory_file.h"
#include "monitor/disk_file.h"
#include "protocol.h"
#include "qemu/command_line.h"

namespace hrun::monitor {

namespace {

constexpr size_t kMaxErrorLine = 512;
constexpr int kReadsPerTurn = 16;
constexpr boot::IoApic kIoApics[] = {{0xfec00000, 24}, {0xfec10000, 24}}; // hw/i386/microvm.c

// Names of what QEMU loads by path, in the root that it gets.
constexpr char kKernel[] = "kernel";
constexpr char kInitrd[] = "initrd";
constexpr char kMpTable[] = "mp-table";

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

std::string handed_over_path(int number) {
    return "/proc/self/fd/" + std::to_string(number);
}

// Descriptors for QEMU, and the number that each will have there.
class HandedOver {
  public:
    int add(Fd fd) {
        numbers_.push_back(fd.get());
        owners_.push_back(std::move(fd));
        return qemu::Process::kFirstFd + static_cast<int>(numbers_.size()) - 1;
    }
    const std::vector<int>& numbers() const { return numbers_; }

  private:
    std::vector<Fd> owners_;
    std::vector<int> numbers_;
};

} // namespace

QemuMachine::QemuMachine(EventLoop& loop, Container& container, MachineEvents& events)
    : loop_(loop), container_(container), config_(container.config), events_(events),
      hybrid_(loop, kContainerDirectory, "vsock.sock"),
      vsock_(loop, container.config.vsock_cid,
             [this](uint32_t port) { return hybrid_.accept_from_guest(port); }) {}

Result<void> QemuMachine::start() {
    HRUN_TRY(check_files());
    container_.keeper->tell(KeeperRequest::kPlace);
    HRUN_TRY(hybrid_.listen(vsock_));
    const std::string mp_table = mp_table_bytes(config_.vcpus);
    auto vhost = unix_pair();
    auto qmp = unix_pair();
    auto console = unix_pair();
    auto errors = unix_pair();
    if (!vhost || !qmp || !console || !errors)
        return Error{EMFILE, "create the machine's sockets"};

    backend_ = std::make_unique<vhost_user::Backend>(
        loop_, vsock_, std::move(vhost->first), [this](const Error& error) {
            if (error.code != ECONNRESET) // that is QEMU's end, of which the process itself tells
                events_.machine_failed(HRUN_ERROR_VM, error.message());
        });
    HRUN_TRY(backend_->start());
    qmp_ = std::make_unique<qemu::Qmp>(std::move(qmp->first),
                                       [this](const qemu::Event& event) { handle_event(event); });
    HRUN_TRY(qmp_->start(loop_));
    HRUN_TRY(open_console(std::move(console->first)));
    HRUN_TRY(open_error_output(std::move(errors->first)));

    HandedOver fds;
    const std::string root = "/";
    qemu::Config qemu{config_.qemu_binary,
                      config_.accel,
                      root + kKernel,
                      root + kInitrd,
                      config_.vcpus,
                      config_.memory_mib,
                      {},
                      config_.vsock_slot,
                      config_.rng_slot,
                      config_.balloon_slot,
                      root + kMpTable};
    qemu.vsock_fd = fds.add(std::move(vhost->second));
    qemu.qmp_fd = fds.add(std::move(qmp->second));
    qemu.console_fd = fds.add(std::move(console->second));
    for (size_t i = 0; i < config_.disks.size(); ++i)
        qemu.disks.push_back({config_.disks[i].slot, fds.add(std::move(*container_.files.disks[i])),
                              config_.disks[i].read_only});
    fds.add(Fd(fcntl(container_.lock.get(), F_DUPFD_CLOEXEC, 0))); // while QEMU lives, the container is held
    if (!container_.jail->own_mounts()) {
        auto table = mp_table_file(mp_table);
        if (!table)
            return table.error();
        qemu.mp_table = handed_over_path(fds.add(std::move(*table)));
        qemu.kernel = handed_over_path(fds.add(std::move(*container_.files.kernel)));
        qemu.initrd = handed_over_path(fds.add(std::move(*container_.files.initrd)));
    }
    qemu.tsc_khz = tsc_.khz();
    if (container_.shared) {
        HRUN_TRY(watch_share());
        qemu.share_slot = config_.share->slot;
        qemu.share_fd = fds.add(std::move(container_.shared->machine));
    }
    for (Nic& nic : container_.nics)
        qemu.nics.push_back({nic.config.slot, fds.add(std::move(*nic.tap)), nic.config.mac, nic.config.mtu});
    container_.keeper->await(); // kPlace: QEMU is born in the VM's control group
    HRUN_TRY(spawn(qemu, mp_table, errors->second.get(), fds.numbers()));
    HRUN_TRY(container_.jail->enter());
    auto ended = loop_.watch(process_.pidfd(), EPOLLIN, [this](uint32_t) { collect(); });
    if (!ended)
        return ended.error();
    ended_ = std::move(*ended);
    return {};
}

Result<void> QemuMachine::check_files() const {
    const MachineFiles& files = container_.files;
    for (const auto* file : {&files.kernel, &files.initrd})
        if (!*file)
            return file->error();
    for (const auto& disk : files.disks)
        if (!disk)
            return disk.error();
    for (const Nic& nic : container_.nics)
        if (!nic.tap)
            return nic.tap.error();
    return container_.shared && container_.shared->failed ? Result<void>(*container_.shared->failed)
                                                          : Result<void>();
}

// The daemon is the keeper's child: all that is known here is that it is gone.
Result<void> QemuMachine::watch_share() {
    auto watch = loop_.watch(container_.shared->daemon.get(), EPOLLIN, [this](uint32_t) {
        share_ended_.reset();
        if (running())
            events_.machine_failed(
                HRUN_ERROR_HOST, "the daemon that shares the host's directories has ended; see monitor.log");
    });
    if (!watch)
        return watch.error();
    share_ended_ = std::move(*watch);
    return {};
}

// QEMU gets a root with nothing but itself and what it loads by path, no privileges, and its own sandbox on top.
Result<void> QemuMachine::spawn(const qemu::Config& config, const std::string& mp_table, int error_output,
                                std::span<const int> fds) {
    auto process = qemu::Process::spawn(qemu::command_line(config), error_output, fds, [&]() -> Result<void> {
        const std::vector<jail::RootFile> files{
            {kKernel, config_.kernel, {}}, {kInitrd, config_.initrd, {}}, {kMpTable, {}, mp_table}};
        std::vector<std::string> devices;
        if (config_.accel == "kvm")
            devices.emplace_back("/dev/kvm");
        if (container_.jail->own_mounts())
            HRUN_TRY(jail::enter_program_root(".", config.binary, files, devices));
        HRUN_TRY(jail::drop_privileges());
        return jail::Filter::of_program().install();
    });
    if (!process)
        return process.error();
    process_ = std::move(*process);
    return {};
}

Result<void> QemuMachine::open_console(Fd source) {
    auto console = Console::open(kContainerDirectory, [this] {
        events_.machine_failed(HRUN_ERROR_VM, "the guest's kernel panicked: " + console_->panic());
    });
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

void QemuMachine::read_console() {
    char bytes[4096];
    for (int i = 0; i < kReadsPerTurn; ++i) {
        const ssize_t count = recv(console_output_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        if (count == 0)
            console_watch_.reset();
        if (count <= 0)
            return;
        console_->append({bytes, static_cast<size_t>(count)});
    }
}

Result<void> QemuMachine::open_error_output(Fd source) {
    error_output_ = std::move(source);
    auto watch = loop_.watch(error_output_.get(), EPOLLIN, [this](uint32_t) { read_error_output(); });
    if (!watch)
        return watch.error();
    error_watch_ = std::move(*watch);
    return {};
}

// What QEMU says goes to monitor.log; its last line is kept for whoever asks why it ended.
void QemuMachine::read_error_output() {
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

void QemuMachine::handle_event(const qemu::Event& event) {
    if (event.kind == qemu::Event::Kind::kShutdown) {
        shutdown_reason_ = event.detail;
        return;
    }
    std::string path = event.detail;
    for (const DiskConfig& disk : config_.disks)
        if (event.detail == "disk" + std::to_string(disk.slot))
            path = disk.path;
    events_.machine_failed(HRUN_ERROR_HOST, disk_failure(path, event.no_space));
}

void QemuMachine::collect() {
    ended_.reset();
    status_ = process_.wait();
    read_console();
    qmp_->drain();
    read_error_output();
    events_.machine_gone();
}

std::string QemuMachine::why_gone() const {
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
