// SPDX-License-Identifier: Apache-2.0
#include "vmm/device_thread.h"

#include <sys/epoll.h>

#include <algorithm>

namespace hrun::vmm {

Result<std::unique_ptr<DeviceThread>> DeviceThread::create(EventLoop& loop) {
    Result<EventFd> work = EventFd::create();
    if (!work)
        return work.error();
    std::unique_ptr<DeviceThread> thread(new DeviceThread(std::move(*work)));
    Result<Watch> watch = loop.watch(thread->work_.get(), EPOLLIN, [self = thread.get()](uint32_t) {
        self->work_.drain();
        std::unique_lock lock(self->mutex_);
        self->serve(lock);
    });
    if (!watch)
        return watch.error();
    thread->watch_ = std::move(*watch);
    return thread;
}

void DeviceThread::run(const std::function<void()>& function) {
    std::unique_lock lock(mutex_);
    if (closed_)
        return;
    Call call{&function};
    calls_.push_back(&call);
    work_.signal();
    asked_.notify_one();
    answered_.wait(lock, [&] { return call.done; });
}

void DeviceThread::serve_until(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex_);
    while (!condition()) {
        serve(lock);
        asked_.wait(lock, [&] { return !calls_.empty() || condition(); });
    }
}

void DeviceThread::wake() {
    std::lock_guard lock(
        mutex_); // so that a condition changed before cannot slip between its check and the wait
    asked_.notify_one();
}

void DeviceThread::close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (Call* call : calls_)
        call->done = true;
    calls_.clear();
    answered_.notify_all();
}

// Runs each call with the lock released: it may signal, notify or take long.
void DeviceThread::serve(std::unique_lock<std::mutex>& lock) {
    while (!calls_.empty()) {
        Call* call = calls_.front();
        calls_.pop_front();
        lock.unlock();
        (*call->function)();
        lock.lock();
        call->done = true;
        answered_.notify_all();
    }
}

} // namespace hrun::vmm
