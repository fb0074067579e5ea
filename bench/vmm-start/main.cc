// SPDX-License-Identifier: Apache-2.0
// From the start of a process to its guest's first instruction: builds one machine of 128 MiB and one vCPU with the guest
// `start`, and prints as JSON when each step was done, in microseconds of wall time since main(), and the process's CPU
// time at the guest's first output.
#include <time.h>

#include <cstdio>
#include <thread>

#include "vmm/builder.h"

using namespace hrun;

namespace {

double microseconds(clockid_t clock) {
    timespec now;
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

int fail(const Error& error) {
    fprintf(stderr, "vmm-start: %s\n", error.message().c_str());
    return 1;
}

int bench(const char* kernel, double start) {
    auto step = [start](const char* name) {
        printf("{\"step\": \"%s\", \"us\": %.1f}\n", name, microseconds(CLOCK_MONOTONIC) - start);
    };
    Result<kvm::System> system = kvm::System::open();
    if (!system)
        return fail(system.error());
    Result<vmm::CpuidTable> supported = system->supported_cpuid();
    if (!supported)
        return fail(supported.error());
    const vmm::CpuidTable cpuid = vmm::apply_cpuid_template(*supported);
    step("open and CPUID");
    Result<std::unique_ptr<EventLoop>> loop = EventLoop::create();
    if (!loop)
        return fail(loop.error());
    vmm::Builder builder(*system, cpuid, **loop);
    builder.on_step(step);
    std::atomic<bool> running = false;
    builder.on_console([&](char) {
        step("first instruction");
        printf("{\"step\": \"CPU time\", \"us\": %.1f}\n", microseconds(CLOCK_PROCESS_CPUTIME_ID));
        running = true;
        running.notify_one();
    });
    vmm::Config config;
    config.kernel = kernel;
    auto machine = builder.build(config, {});
    if (!machine)
        return fail(machine.error());
    if (Result<void> started = (*machine)->start(); !started)
        return fail(started.error());
    running.wait(false);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const double start = microseconds(CLOCK_MONOTONIC);
    if (argc != 2) {
        fprintf(stderr, "usage: hrun_vmm_start_bench GUEST.elf\n");
        return 2;
    }
    return bench(argv[1], start);
}
