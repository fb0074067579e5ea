// SPDX-License-Identifier: Apache-2.0
// What the vCPU threads of one machine are to do, and how the machine came to its end.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

#include "base/event_fd.h"

namespace hrun::vmm {

// Why a machine runs no more.
struct End {
    enum class Reason {
        kReset,       // the guest asked for a reset, which is how it powers off
        kTripleFault, // the guest could not handle a fault
        kError,       // KVM or the host gave up
        kStopped,     // the owner stopped it
    };
    Reason reason = Reason::kStopped;
    std::string message; // one line; then, for all but kReset and kStopped, the registers
};

class RunControl {
  public:
    enum class Command : int { kRun, kPause, kStop };

    // `parked` is called on a vCPU thread when it has stopped running the guest; `ended` gets the first end.
    RunControl(std::function<void()> parked, const EventFd& ended)
        : parked_(std::move(parked)), ended_(ended) {}

    // For vCPU threads: waits while paused; false when it is time to end.
    bool may_run();
    // A vCPU thread has left its loop for good.
    void thread_ended();
    // Takes the first end and tells all threads to stop; later ones are dropped. From any thread.
    void end(End end);

    void command(Command command);
    Command current() const { return command_; }
    // vCPU threads that do not run the guest now.
    unsigned parked() const { return parked_count_; }
    End how_it_ended() const;

  private:
    std::function<void()> parked_;
    const EventFd& ended_;
    mutable std::mutex mutex_; // guards end_ and changes of command_
    std::condition_variable changed_;
    std::atomic<Command> command_ = Command::kPause;
    std::atomic<unsigned> parked_count_ = 0;
    bool has_ended_ = false;
    End end_;
};

} // namespace hrun::vmm
