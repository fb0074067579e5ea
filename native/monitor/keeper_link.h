// SPDX-License-Identifier: Apache-2.0
// What the monitor asks of its keeper (keeper.h): a few words of fixed size, for the keeper does not trust it.
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::monitor {

enum class KeeperRequest : uint32_t {
    kPlace = 1,     // move us into the VM's control group; answered
    kStarted = 2,   // the container's process runs
    kFinished = 3,  // the VM is gone and the last state is written: let go of the container; answered
    kViolation = 4, // `argument`: the number of the system call that a thread tried (jail/violation.h)
    kEnded = 5,     // the container's process has ended; answered, kRunAgain when it is to run again
    kWaited = 6,    // the wait before the next run is over
    // the copy of the template failed before a client was served: boot the machine; `argument`: it is the template's fault; answered
    kBootInstead = 7,
    kProbeBegun = 8, // of the container's health
    kProbeEnded = 9, // `argument`: exit code of the probe's process
    kHealth = 10,    // `argument`: what the container's health has become, Health::Status
    kWaiting = 11,   // the machine is ready for its container (monitor/hand_over.h)
    kRunning = 12,   // that the process runs is written down: the event may tell of it; answered
};

constexpr bool is_answered(KeeperRequest request) {
    return request == KeeperRequest::kPlace || request == KeeperRequest::kFinished ||
           request == KeeperRequest::kEnded || request == KeeperRequest::kBootInstead ||
           request == KeeperRequest::kRunning;
}

constexpr uint32_t kRunAgain = 2;          // an answer
constexpr uint32_t kStaysEnded = 1 << 16;  // in kEnded's argument, besides the exit code
constexpr uint32_t kOutOfMemory = 1 << 17; // there too: the guest's OOM killer ended it

struct KeeperMessage {
    KeeperRequest request;
    uint32_t argument;
};

// The monitor's end. A keeper that is gone answers nothing: it takes the monitor with it.
class KeeperLink {
  public:
    explicit KeeperLink(Fd socket) : socket_(std::move(socket)) {}

    int fd() const { return socket_.get(); }
    void tell(KeeperRequest request, uint32_t argument = 0);
    // Waits until all that was asked is done; returns the last answer, 0 from a keeper that is gone.
    uint32_t await();
    uint32_t ask(KeeperRequest request, uint32_t argument = 0) {
        tell(request, argument);
        return await();
    }

  private:
    Fd socket_;
    unsigned unanswered_ = 0;
};

} // namespace hrun::monitor
