// SPDX-License-Identifier: Apache-2.0
// QEMU as a child, in a root with nothing but itself and what it reads, and what it and its guest say: over QMP, on the
// console, on standard error.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/fd.h"
#include "base/result.h"
#include "jail/program_root.h"
#include "monitor/console.h"
#include "monitor/container.h"
#include "qemu/command_line.h"
#include "qemu/process.h"
#include "qemu/qmp.h"
#include "qemu/tsc.h"

namespace hrun::monitor {

// Descriptors for QEMU, and the number that each will have there.
class HandedOver {
  public:
    int add(Fd fd);
    const std::vector<int>& numbers() const { return numbers_; }

  private:
    std::vector<Fd> owners_;
    std::vector<int> numbers_;
};

// The machine's interface on QEMU's command line; its descriptors, which must be there, are added to `fds`.
qemu::Nic qemu_nic(Nic nic, HandedOver& fds);

class QemuProcess {
  public:
    struct Events {
        std::function<void(const qemu::Event&)> qmp;
        std::function<void()> panicked; // the guest's kernel; see why_gone()
        std::function<void()> said;     // by the guest, on its console; may be empty
        std::function<void()> gone;     // the process has ended
    };

    QemuProcess(EventLoop& loop, Container& container, Events events)
        : loop_(loop), container_(container), config_(container.config), events_(std::move(events)) {}

    // The machine of the configuration without its devices. Descriptors that it needs are added to `fds`.
    Result<qemu::Config> prepare(qemu::Role role, HandedOver& fds);
    // Of a process that is to be saved: it has what saves it, which listens on the descriptor of that number (freeze/freezer.cc).
    void prepare_freezing(int number);
    // The path by which QEMU opens a descriptor that it was handed.
    std::string path_of(int number) const;
    // Enters the jail on the way, when the child has been born.
    Result<void> spawn(const qemu::Config& config, const HandedOver& fds);
    // The same of a process that was saved: `image`, and the memory that is shared with it, by the numbers that they have there.
    Result<void> thaw(int image, int memory, const HandedOver& fds);

    const Console& console() const { return *console_; }
    qemu::Qmp& qmp() { return *qmp_; }
    pid_t host_pid() const { return process_.host_pid(); }
    bool running() const { return process_.running(); }
    void kill() { process_.kill(); }
    // One line for the user.
    std::string why_gone() const;

  private:
    // Kernel, initrd and MP table: a copy has them in its memory.
    Result<void> prepare_boot(qemu::Config& qemu, HandedOver& fds);
    Result<void> open_console(Fd source);
    Result<void> open_error_output(Fd source);
    Result<void> become(const std::vector<std::string>& words, const HandedOver& fds);
    Result<void> enter_root(const std::string& binary);
    void read_console();
    void read_error_output();
    void handle_event(const qemu::Event& event);
    void collect();

    EventLoop& loop_;
    Container& container_;
    const Config& config_;
    Events events_;
    qemu::TscMeter tsc_;
    std::vector<jail::RootFile> root_files_; // what QEMU finds by path
    int freezer_ = -1;                       // see prepare_freezing()
    std::unique_ptr<qemu::Qmp> qmp_;
    Fd console_output_;
    Watch console_watch_;
    std::unique_ptr<Console> console_;
    Fd error_output_;
    Fd error_input_; // QEMU's end, until it is born
    Watch error_watch_;
    std::string error_line_; // the last one of QEMU's
    std::string shutdown_reason_;
    qemu::Process process_;
    Watch ended_;
    int status_ = 0;
};

} // namespace hrun::monitor
