// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/blk_workers.h"

#include <pthread.h>
#include <signal.h>

#include <iterator>

namespace hrun::virtio {

BlkWorkers::~BlkWorkers() {
    drain();
    {
        std::lock_guard lock(mutex_);
        leaving_ = true;
    }
    work_.notify_all();
    for (std::thread& thread : threads_)
        thread.join();
}

void BlkWorkers::submit(std::vector<BlkRequest> requests) {
    std::lock_guard lock(mutex_);
    queued_.insert(queued_.end(), std::make_move_iterator(requests.begin()),
                   std::make_move_iterator(requests.end()));
    while (threads_.size() < kThreads && threads_.size() < running_ + queued_.size())
        threads_.emplace_back([this] { main(); });
    if (requests.size() == 1)
        work_.notify_one();
    else
        work_.notify_all();
}

std::vector<BlkRequest> BlkWorkers::take_finished() {
    std::lock_guard lock(mutex_);
    return std::exchange(done_, {});
}

void BlkWorkers::finish() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return queued_.empty() && running_ == 0; });
}

void BlkWorkers::drain() {
    std::unique_lock lock(mutex_);
    queued_.clear();
    idle_.wait(lock, [this] { return running_ == 0; });
    done_.clear();
}

void BlkWorkers::main() {
    sigset_t all; // signals are other threads' business
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    pthread_setname_np(pthread_self(), "blk");
    started_();
    std::unique_lock lock(mutex_);
    for (;;) {
        work_.wait(lock, [this] { return leaving_ || !queued_.empty(); });
        if (leaving_)
            return;
        BlkRequest request = std::move(queued_.front());
        queued_.pop_front();
        ++running_;
        lock.unlock();
        run_(request);
        lock.lock();
        --running_;
        done_.push_back(std::move(request));
        if (done_.size() == 1)
            finished_.signal();
        if (running_ == 0)
            idle_.notify_all();
    }
}

} // namespace hrun::virtio
