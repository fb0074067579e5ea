// SPDX-License-Identifier: Apache-2.0
// Snapshots of machines with one vCPU and the guest beside this file:
//   make GUEST.elf MIB FILE   boots one with so much memory and saves it
//   restore FILE              prints as JSON when each step of a restore was done, in microseconds of wall time since main(), to the
//                             first instruction of the guest that is seen from outside
//   hold FILE                 restores one, has its guest use its memory, prints "held", and stays until standard input ends
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "vmm/builder.h"
#include "vmm/console_buffer.h"

using namespace hrun;

namespace {

double microseconds() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

struct Bench {
    kvm::System system;
    vmm::CpuidTable cpuid;
    std::unique_ptr<EventLoop> loop;
    std::unique_ptr<vmm::ConsoleBuffer> console;
};

Result<Bench> open_bench() {
    auto system = kvm::System::open();
    if (!system)
        return system.error();
    auto supported = system->supported_cpuid();
    auto loop = EventLoop::create();
    auto filled = EventFd::create();
    if (!supported || !loop || !filled)
        return Error{EIO, "set up"};
    return Bench{std::move(*system), vmm::apply_cpuid_template(*supported), std::move(*loop),
                 std::make_unique<vmm::ConsoleBuffer>(std::move(*filled))};
}

// Runs until the guest has said `text`.
void wait_for(Bench& bench, const std::string& text) {
    std::string said;
    while (said.find(text) == std::string::npos) {
        usleep(200);
        said += bench.console->take();
    }
}

Result<void> make(const std::string& guest, uint64_t mebibytes, const std::string& file) {
    auto bench = open_bench();
    if (!bench)
        return bench.error();
    vmm::Builder builder(bench->system, bench->cpuid, *bench->loop);
    builder.on_console([&](char byte) { bench->console->put(byte); });
    vmm::Config config;
    config.kernel = guest;
    config.memory = mebibytes << 20;
    config.pit = false;
    auto machine = builder.build(config, {});
    if (!machine)
        return machine.error();
    HRUN_TRY((*machine)->start());
    wait_for(*bench, "saved here\n");
    HRUN_TRY((*machine)->pause());
    return (*machine)->save(bench->system, {AT_FDCWD, file});
}

Result<void> restore(const std::string& file, double start) {
    auto step = [start](const char* name) {
        printf("{\"step\": \"%s\", \"us\": %.1f}\n", name, microseconds() - start);
    };
    auto bench = open_bench();
    if (!bench)
        return bench.error();
    step("open and CPUID");
    auto snapshot = vmm::SnapshotFile::open(file);
    if (!snapshot)
        return snapshot.error();
    step("snapshot checked");
    vmm::Builder builder(bench->system, bench->cpuid, *bench->loop);
    builder.on_step(step);
    std::atomic<bool> running = false;
    builder.on_console([&](char) {
        if (running.exchange(true))
            return;
        step("first instruction");
        running.notify_one();
    });
    auto machine = builder.restore(*snapshot, {});
    if (!machine)
        return machine.error();
    HRUN_TRY((*machine)->start());
    running.wait(false);
    return {};
}

Result<void> hold(const std::string& file) {
    auto bench = open_bench();
    if (!bench)
        return bench.error();
    auto snapshot = vmm::SnapshotFile::open(file);
    if (!snapshot)
        return snapshot.error();
    vmm::Builder builder(bench->system, bench->cpuid, *bench->loop);
    builder.on_console([&](char byte) { bench->console->put(byte); });
    auto machine = builder.restore(*snapshot, {});
    if (!machine)
        return machine.error();
    HRUN_TRY((*machine)->start());
    (*machine)->console_input({"\n", 1});
    wait_for(*bench, "touched\n");
    puts("held");
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return {};
}

} // namespace

int main(int argc, char** argv) {
    const double start = microseconds();
    const std::string mode = argc > 1 ? argv[1] : "";
    Result<void> done = Error{EINVAL, "usage: make GUEST.elf MIB FILE | restore FILE | hold FILE"};
    if (mode == "make" && argc == 5)
        done = make(argv[2], strtoull(argv[3], nullptr, 10), argv[4]);
    else if (mode == "restore" && argc == 3)
        done = restore(argv[2], start);
    else if (mode == "hold" && argc == 3)
        done = hold(argv[2]);
    if (!done)
        fprintf(stderr, "snapshot: %s\n", done.error().message().c_str());
    return done ? 0 : 1;
}
