// SPDX-License-Identifier: Apache-2.0
// The host half of a guest test: a machine with one of the guests, and what it says.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "kvm/system.h"
#include "vmm/builder.h"

namespace hrun::test {

// True where /dev/kvm can be used; else says once why these tests are skipped.
bool kvm_usable();

class GuestRun {
  public:
    // `guest` is the name of a folder beside this file.
    explicit GuestRun(const std::string& guest);

    vmm::Config config;                     // change before start()
    std::unique_ptr<vmm::EmulationAid> aid; // the same
    // What start() does between building the machine and letting the guest run.
    std::function<Result<void>(vmm::Machine&)> built = [](vmm::Machine&) { return Result<void>(); };
    EventLoop& loop() { return *loop_; }
    // To be called before start(). Returns the device, which the machine will own.
    template <class Device> Device& add(uint32_t slot, std::unique_ptr<Device> device) {
        Device& reference = *device;
        devices_.push_back({slot, std::move(device)});
        return reference;
    }

    void start();
    // Instead of start(): a machine that goes on from a snapshot, and is paused until machine().start(). Of `config` nothing counts.
    Result<void> restore(const std::string& snapshot);
    // Pauses the machine and makes a snapshot of it in that file.
    void save(const std::string& snapshot);
    vmm::Machine& machine() { return *machine_; }
    // Runs the event loop until the guest has ended, or until `text` has appeared on its console. Fails the test
    // after 60 s.
    void until_end();
    void until_console(const std::string& text);
    void until(const std::function<bool()>& condition);
    std::string console() const;

    // until_end(), and the guest's last words must be "ok".
    void expect_ok();
    // Lets go of the machine.
    void destroy() { machine_.reset(); }

  private:
    void prepare(vmm::Builder& builder);

    std::unique_ptr<EventLoop> loop_;
    std::vector<vmm::SlotDevice> devices_;
    mutable std::mutex mutex_;
    std::string console_; // under mutex_: vCPU threads append
    std::unique_ptr<vmm::Machine> machine_;
};

} // namespace hrun::test
