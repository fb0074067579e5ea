// SPDX-License-Identifier: Apache-2.0
#include "vmm/run_control.h"

namespace hrun::vmm {

bool RunControl::may_run() {
    if (command_ == Command::kRun)
        return true;
    std::unique_lock lock(mutex_);
    while (command_ == Command::kPause) {
        ++parked_count_;
        lock.unlock(); // parked() wakes the device thread, which may hold its own lock while it looks at us
        parked_();
        lock.lock();
        changed_.wait(lock, [this] { return command_ != Command::kPause; });
        --parked_count_;
    }
    return command_ == Command::kRun;
}

void RunControl::thread_ended() {
    ++parked_count_;
    parked_();
}

void RunControl::end(End end) {
    std::lock_guard lock(mutex_);
    if (has_ended_)
        return;
    has_ended_ = true;
    end_ = std::move(end);
    command_ = Command::kStop;
    changed_.notify_all();
    ended_.signal();
}

void RunControl::command(Command command) {
    std::lock_guard lock(mutex_);
    if (command_ == Command::kStop) // final
        return;
    command_ = command;
    changed_.notify_all();
}

End RunControl::how_it_ended() const {
    std::lock_guard lock(mutex_);
    return end_;
}

} // namespace hrun::vmm
