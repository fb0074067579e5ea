// SPDX-License-Identifier: Apache-2.0
// hrun_kernel_boot KERNEL ROOT UNTIL SECONDS
//
// Boots a Linux kernel with the devices of the kvm engine: vsock in slot 0, rng in 1. ROOT is an EROFS disk for slot 3, or a
// directory: then the root is what virtiofsd shows of it, in slot 18. Slot 20 is empty.
// Its console goes to standard output until a line holds UNTIL (exit code 0), the machine ends (1) or SECONDS have passed (2);
// what this program has to say of itself goes to standard error. On a host whose KVM is software it helps itself with
// vmm/software_kvm.h.
#include <fcntl.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/unix_socket.h"
#include "devices/virtio/blk.h"
#include "devices/virtio/rng.h"
#include "devices/virtio/vsock.h"
#include "monitor/share_daemon.h"
#include "monitor/share_device.h"
#include "vmm/builder.h"
#include "vmm/console_buffer.h"
#include "vmm/probe.h"
#include "vmm/software_kvm.h"

using namespace hrun;

namespace {

constexpr uint32_t kAgentPort = 1024;
constexpr char kCommandLine[] = "console=ttyS0 reboot=k panic=-1 no_timer_check ro ";
constexpr char kDiskRoot[] = "root=/dev/vda rootfstype=erofs";
constexpr char kSharedRoot[] = "root=hrun rootfstype=virtiofs";
constexpr char kVirtiofsd[] = "/usr/lib/qemu/virtiofsd";

template <class T> T must(Result<T> result) {
    if (result)
        return std::move(*result);
    fprintf(stderr, "kernel-boot: %s\n", result.error().message().c_str());
    exit(1);
}
void must(Result<void> result) {
    if (result)
        return;
    fprintf(stderr, "kernel-boot: %s\n", result.error().message().c_str());
    exit(1);
}

class Boot {
  public:
    Boot(const char* kernel, const char* root) : config_{.kernel = kernel, .command_line = kCommandLine} {
        config_.memory = 64 << 20;
        config_.pit = false;
        add_devices();
        std::filesystem::is_directory(root) ? add_share(root) : add_disk(root);
        vmm::CpuidTable cpuid = vmm::apply_cpuid_template(must(system_.supported_cpuid()));
        const bool software = !must(vmm::probe(system_)).hardware;
        if (software)
            cpuid = help(std::move(cpuid));
        vmm::Builder builder(system_, cpuid, *loop_);
        if (software)
            builder.use_aid(vmm::software_kvm_aid());
        builder.on_console([this](char byte) { serial_.put(byte); });
        machine_ = must(builder.build(config_, std::move(devices_)));
        if (share_)
            must(monitor::connect_share_device(*share_, machine_->memory()));
    }

    int run(const std::string& until, std::chrono::seconds limit) {
        const Watch console = must(
            loop_->watch(serial_.filled().get(), EPOLLIN, [&](uint32_t) { show(serial_.take(), until); }));
        const Timer out_of_time = loop_->after(limit, [this] { finish(2); });
        const Watch ended = must(loop_->watch(machine_->ended().get(), EPOLLIN, [&](uint32_t) {
            show(serial_.take(), until);
            fprintf(stderr, "%s\n", machine_->how_it_ended().message.c_str());
            finish(1);
        }));
        const auto begin = EventLoop::Clock::now();
        must(machine_->start());
        ask_for_agent();
        must(loop_->run());
        const std::chrono::duration<double> time = EventLoop::Clock::now() - begin;
        timespec cpu;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
        fprintf(stderr, "%.1f s (CPU time %lld s), %llu exits\n", time.count(),
                static_cast<long long>(cpu.tv_sec), static_cast<unsigned long long>(machine_->exits()));
        return exit_code_;
    }

  private:
    vmm::CpuidTable help(vmm::CpuidTable cpuid) {
        kvm::Vm vm = must(system_.create_vm());
        vmm::apply_software_kvm(config_, must(must(vm.create_vcpu(0)).tsc_khz()));
        return vmm::software_kvm_cpuid(std::move(cpuid));
    }

    void add_devices() {
        auto refuse = [](uint32_t) { return Result<Fd>(Error{ECONNREFUSED, "connect to the host"}); };
        auto vsock = std::make_unique<virtio::VsockDevice>(*loop_, 3, refuse);
        vsock_ = vsock.get();
        devices_.push_back({0, std::move(vsock)});
        devices_.push_back({1, std::make_unique<virtio::RngDevice>(*loop_)});
        config_.spare_slots = {20};
    }

    void add_disk(const char* disk) {
        config_.command_line += kDiskRoot;
        auto backend = must(virtio::BlkBackend::create(Fd(open(disk, O_RDONLY | O_CLOEXEC)), true));
        devices_.push_back({3, must(virtio::BlkDevice::create(*loop_, std::move(backend), "root"))});
    }

    void add_share(const char* directory) {
        config_.command_line += kSharedRoot;
        const Fd at(open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
        auto shared = daemon_.start(at.get(), {18, kVirtiofsd, {{directory, true}}});
        if (shared.failed)
            must(Result<void>(*shared.failed));
        auto device = monitor::make_share_device(*loop_, std::move(shared.machine), [this](const std::string& why) {
            fprintf(stderr, "%s\n", why.c_str());
            finish(1);
        });
        share_ = device.get();
        devices_.push_back({18, std::move(device)});
    }

    // Nobody listens: the guest's driver says so once it is up.
    void ask_for_agent() {
        auto [ours, theirs] = must(unix_pair());
        must(vsock_->connect(kAgentPort, std::move(theirs), [](const auto& result) {
            fprintf(stderr, "vsock: %s\n", result ? "connected" : result.error().message().c_str());
        }));
        socket_ = std::move(ours);
    }

    void show(const std::string& bytes, const std::string& until) {
        fwrite(bytes.data(), 1, bytes.size(), stdout);
        fflush(stdout);
        for (const char byte : bytes) {
            if (byte != '\n')
                line_ += byte;
            else if (std::exchange(line_, {}).find(until) != line_.npos)
                finish(0);
        }
    }

    void finish(int code) {
        exit_code_ = code;
        loop_->stop();
    }

    kvm::System system_ = must(kvm::System::open());
    std::unique_ptr<EventLoop> loop_ = must(EventLoop::create());
    vmm::ConsoleBuffer serial_{must(EventFd::create())};
    vmm::Config config_;
    std::vector<vmm::SlotDevice> devices_;
    virtio::VsockDevice* vsock_ = nullptr;
    monitor::ShareDaemon daemon_;
    vhost_user::RemoteDevice* share_ = nullptr;
    Fd socket_;
    std::unique_ptr<vmm::Machine> machine_;
    std::string line_;
    int exit_code_ = 1;
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: hrun_kernel_boot KERNEL ROOT UNTIL SECONDS\n");
        return 2;
    }
    return Boot(argv[1], argv[2]).run(argv[3], std::chrono::seconds(atoi(argv[4])));
}
