// SPDX-License-Identifier: Apache-2.0
// The thread that runs the EventLoop and with it all devices, as vCPU threads reach it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "base/event_fd.h"
#include "base/event_loop.h"

namespace hrun::vmm {

class DeviceThread {
  public:
    // `loop` must outlive it. The thread that calls create() is the one that runs the loop.
    static Result<std::unique_ptr<DeviceThread>> create(EventLoop& loop);

    // From another thread: has `function` run on the device thread and waits for it. After close() it returns
    // without.
    void run(const std::function<void()>& function);

    // On the device thread, which must not wait for a vCPU in any other way: runs what others ask for until
    // `condition` holds. wake() has the condition looked at again.
    void serve_until(const std::function<bool()>& condition);
    void wake();
    // On the device thread: nothing more will run here, whoever waits goes on.
    void close();

  private:
    struct Call {
        const std::function<void()>* function;
        bool done = false;
    };
    explicit DeviceThread(EventFd work) : work_(std::move(work)) {}
    void serve(std::unique_lock<std::mutex>& lock);

    EventFd work_;
    Watch watch_;
    std::mutex mutex_;
    std::condition_variable asked_;    // calls_ grew, or wake()
    std::condition_variable answered_; // a call is done, or closed_
    std::deque<Call*> calls_;
    bool closed_ = false;
};

} // namespace hrun::vmm
