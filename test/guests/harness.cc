// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <cstdio>

namespace hrun::test {

namespace {

struct Host {
    kvm::System system;
    vmm::CpuidTable cpuid;
};

Result<Host> open_host() {
    Result<kvm::System> system = kvm::System::open();
    if (!system)
        return system.error();
    Result<vmm::CpuidTable> cpuid = system->supported_cpuid();
    if (!cpuid)
        return cpuid.error();
    return Host{std::move(*system), vmm::apply_cpuid_template(*cpuid)};
}

Result<Host>& host() {
    static Result<Host> opened = open_host();
    return opened;
}

} // namespace

bool kvm_usable() {
    static const bool usable = [] {
        if (!host())
            fprintf(stderr, "skipped: %s\n", host().error().message().c_str());
        return static_cast<bool>(host());
    }();
    return usable;
}

GuestRun::GuestRun(const std::string& guest) {
    config.kernel = std::string(HRUN_GUESTS) + "/" + guest + ".elf";
    config.memory = 16 << 20;
    config.pit = false;
    loop_ = std::move(*EventLoop::create());
}

void GuestRun::prepare(vmm::Builder& builder) {
    builder.on_console([this](char byte) {
        std::lock_guard lock(mutex_);
        console_ += byte;
    });
    builder.use_aid(std::move(aid));
}

Result<void> GuestRun::restore(const std::string& snapshot) {
    Result<vmm::SnapshotFile> file = vmm::SnapshotFile::open(snapshot);
    if (!file)
        return file.error();
    vmm::Builder builder(host()->system, host()->cpuid, *loop_);
    prepare(builder);
    Result<std::unique_ptr<vmm::Machine>> machine = builder.restore(*file, std::move(devices_));
    if (!machine)
        return machine.error();
    machine_ = std::move(*machine);
    return {};
}

void GuestRun::save(const std::string& snapshot) {
    REQUIRE(machine_->pause());
    const Result<void> saved = machine_->save(host()->system, {AT_FDCWD, snapshot});
    REQUIRE_MESSAGE(saved, saved.error().message());
}

void GuestRun::start() {
    vmm::Builder builder(host()->system, host()->cpuid, *loop_);
    prepare(builder);
    Result<std::unique_ptr<vmm::Machine>> machine = builder.build(config, std::move(devices_));
    REQUIRE_MESSAGE(machine, machine.error().message());
    machine_ = std::move(*machine);
    const Result<void> ready = built(*machine_);
    REQUIRE_MESSAGE(ready, ready.error().message());
    REQUIRE(machine_->start());
}

void GuestRun::until(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
        REQUIRE_MESSAGE(std::chrono::steady_clock::now() < limit, "the guest said only: ", console());
        const bool had_ended = machine_->has_ended();
        REQUIRE(loop_->run_once(std::chrono::milliseconds(20)));
        REQUIRE_MESSAGE((!had_ended || condition()), "the guest ended and said: ", console(),
                        machine_->how_it_ended().message);
    }
}

void GuestRun::until_end() {
    bool ended = false;
    Result<Watch> watch = loop_->watch(machine_->ended().get(), EPOLLIN, [&](uint32_t) { ended = true; });
    REQUIRE(watch);
    until([&] { return ended; });
}

void GuestRun::until_console(const std::string& text) {
    until([&] { return console().find(text) != std::string::npos; });
}

std::string GuestRun::console() const {
    std::lock_guard lock(mutex_);
    return console_;
}

void GuestRun::expect_ok() {
    until_end();
    const vmm::End end = machine_->how_it_ended();
    INFO(console() << end.message);
    CHECK(end.reason == vmm::End::Reason::kReset);
    CHECK(console().ends_with("ok\n"));
}

} // namespace hrun::test
