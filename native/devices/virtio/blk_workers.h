// SPDX-License-Identifier: Apache-2.0
// Threads that carry out block requests, so that several are in flight and none holds up the device thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/event_fd.h"
#include "devices/virtio/blk_request.h"

namespace hrun::virtio {

class BlkWorkers {
  public:
    static constexpr size_t kThreads = 4;

    // `run` carries out one request, on any of the threads. `finished` (not owned) is signalled when there is something to
    // take.
    BlkWorkers(std::function<void(BlkRequest&)> run, const EventFd& finished)
        : run_(std::move(run)), finished_(finished) {}
    ~BlkWorkers();

    // Called on each thread before its first request.
    void on_start(std::function<void()> started) { started_ = std::move(started); }
    // Queues requests; a thread is started for each that finds none idle, up to kThreads.
    void submit(std::vector<BlkRequest> requests);
    // Those that are done since the last call, in the order in which they ended.
    std::vector<BlkRequest> take_finished();
    // Waits until all requests are carried out; take_finished() has them.
    void finish();
    // Forgets queued and finished requests and waits for those being carried out: then none touches guest memory.
    void drain();

  private:
    void main();

    std::function<void(BlkRequest&)> run_;
    std::function<void()> started_ = [] {};
    const EventFd& finished_;
    std::mutex mutex_; // guards all below
    std::condition_variable work_;
    std::condition_variable idle_;
    std::deque<BlkRequest> queued_;
    std::vector<BlkRequest> done_;
    size_t running_ = 0;
    bool leaving_ = false;
    std::vector<std::thread> threads_;
};

} // namespace hrun::virtio
