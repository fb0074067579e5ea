// SPDX-License-Identifier: Apache-2.0
#include "vmm/vcpu_thread.h"

#include <pthread.h>
#include <signal.h>

#include <cstring>
#include <system_error>

#include "vmm/exit_report.h"

namespace hrun::vmm {

namespace {

// Interrupts KVM_RUN only: blocked everywhere else in the thread, so it needs no handler (kvm::Vcpu::interrupt_on).
int kick_signal() {
    return SIGRTMIN;
}

// While it lives, no signal reaches this thread, nor any thread that it starts: they inherit the mask, so that not even
// an early kick finds a thread that would die of it.
class BlockedSignals {
  public:
    BlockedSignals() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

  private:
    sigset_t before_;
};

void take_pending_kick() {
    sigset_t kick;
    sigemptyset(&kick);
    sigaddset(&kick, kick_signal());
    const timespec now{};
    sigtimedwait(&kick, nullptr, &now);
}

} // namespace

VcpuThread::VcpuThread(kvm::Vcpu vcpu, uint32_t id, const Buses& buses, RunControl& control,
                       EmulationAid* aid, std::function<void()> entered)
    : vcpu_(std::move(vcpu)), id_(id), buses_(buses), control_(control), aid_(aid),
      entered_(std::move(entered)) {}

VcpuThread::~VcpuThread() {
    if (!thread_.joinable())
        return;
    kick();
    thread_.join();
}

Result<void> VcpuThread::start() {
    const BlockedSignals blocked;
    try {
        thread_ = std::thread([this] { main(); });
    } catch (const std::system_error& error) { // std::thread has no other way to say it
        return Error{error.code().value(), "start a vCPU thread"};
    }
    return {};
}

void VcpuThread::kick() {
    if (thread_.joinable())
        pthread_kill(thread_.native_handle(), kick_signal());
}

void VcpuThread::main() {
    pthread_setname_np(pthread_self(), ("vcpu" + std::to_string(id_)).c_str());
    if (Result<void> set = vcpu_.interrupt_on(kick_signal()); !set)
        control_.end({End::Reason::kError, set.error().message()});
    entered_();
    for (;;) {
        if (control_.current() != RunControl::Command::kRun)
            (void)vcpu_.complete_access(); // so that whoever reads a parked vCPU finds whole instructions
        if (!control_.may_run() || !run_once())
            break;
    }
    control_.thread_ended();
}

// False when the machine has come to its end.
bool VcpuThread::run_once() {
    const Result<void> ran = vcpu_.run();
    if (ran) {
        exits_.fetch_add(1, std::memory_order_relaxed);
        return handle_exit();
    }
    if (ran.error().code == EINTR) {
        take_pending_kick();
        return true;
    }
    if (ran.error().code == EAGAIN) // the vCPU waits for its SIPI and got another event
        return true;
    return give_up(End::Reason::kError, ran.error().message());
}

bool VcpuThread::handle_exit() {
    switch (vcpu_.state().exit_reason) {
    case KVM_EXIT_IO:
        handle_port();
        return true;
    case KVM_EXIT_MMIO:
        handle_mmio();
        return true;
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        return true;
    case KVM_EXIT_SHUTDOWN:
        return give_up(End::Reason::kTripleFault, describe_exit(vcpu_.state()));
    case KVM_EXIT_SYSTEM_EVENT:
        return handle_system_event();
    case KVM_EXIT_INTERNAL_ERROR:
        return handle_internal_error();
    default: // with an in-kernel irqchip and no optional capability enabled, none of the others can come
        return give_up(End::Reason::kError, describe_exit(vcpu_.state()));
    }
}

void VcpuThread::handle_port() {
    const auto& io = vcpu_.state().io;
    const std::span<std::byte> data = vcpu_.port_data();
    for (uint32_t i = 0; i < io.count; ++i) { // REP INS and OUTS come as one exit
        const std::span<std::byte> item = data.subspan(size_t{i} * io.size, io.size);
        if (io.direction == KVM_EXIT_IO_OUT)
            buses_.ports.write(io.port, item);
        else
            buses_.ports.read(io.port, item);
    }
}

void VcpuThread::handle_mmio() {
    auto& mmio = vcpu_.state().mmio;
    const std::span<std::byte> data(reinterpret_cast<std::byte*>(mmio.data), std::min<size_t>(mmio.len, 8));
    if (mmio.is_write)
        buses_.mmio.write(mmio.phys_addr, data);
    else
        buses_.mmio.read(mmio.phys_addr, data);
}

bool VcpuThread::handle_internal_error() {
    if (aid_ && vcpu_.state().internal.suberror == KVM_INTERNAL_ERROR_EMULATION &&
        aid_->finish_instruction(vcpu_))
        return true;
    return give_up(End::Reason::kError, describe_exit(vcpu_.state()));
}

bool VcpuThread::handle_system_event() {
    const uint32_t type = vcpu_.state().system_event.type;
    if (type != KVM_SYSTEM_EVENT_SHUTDOWN && type != KVM_SYSTEM_EVENT_RESET)
        return give_up(End::Reason::kError, describe_exit(vcpu_.state()));
    control_.end({End::Reason::kReset, "the guest powered off"});
    return false;
}

bool VcpuThread::give_up(End::Reason reason, const std::string& what) {
    control_.end({reason, exit_report(what, vcpu_, id_)});
    return false;
}

} // namespace hrun::vmm
