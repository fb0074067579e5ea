// SPDX-License-Identifier: Apache-2.0
#include "base/event_loop.h"

#include <algorithm>
#include <utility>

namespace hrun {

namespace {

constexpr int kEventsPerWait = 64;
constexpr auto kForever = std::chrono::hours(24);

} // namespace

Watch::Watch(Watch&& other) noexcept
    : loop_(std::exchange(other.loop_, nullptr)), id_(other.id_), fd_(other.fd_) {}

Watch& Watch::operator=(Watch&& other) noexcept {
    if (this != &other) {
        reset();
        loop_ = std::exchange(other.loop_, nullptr);
        id_ = other.id_;
        fd_ = other.fd_;
    }
    return *this;
}

void Watch::modify(uint32_t events) {
    epoll_event event{events, {.u64 = id_}};
    if (loop_)
        epoll_ctl(loop_->epoll_.get(), EPOLL_CTL_MOD, fd_, &event);
}

void Watch::reset() {
    EventLoop* loop = std::exchange(loop_, nullptr);
    if (!loop)
        return;
    epoll_ctl(loop->epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
    loop->handlers_.erase(id_);
}

Timer::Timer(Timer&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), id_(other.id_) {}

Timer& Timer::operator=(Timer&& other) noexcept {
    if (this != &other) {
        reset();
        loop_ = std::exchange(other.loop_, nullptr);
        id_ = other.id_;
    }
    return *this;
}

void Timer::reset() {
    EventLoop* loop = std::exchange(loop_, nullptr);
    if (!loop)
        return;
    if (const auto entry = loop->timer_times_.extract(id_))
        loop->timers_.erase({entry.mapped(), id_});
}

bool Timer::active() const {
    return loop_ && loop_->timer_times_.contains(id_);
}

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
    Fd epoll(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.valid())
        return Error::last("create epoll");
    return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll)));
}

Result<Watch> EventLoop::watch(int fd, uint32_t events, Handler handler) {
    const uint64_t id = next_id_++;
    epoll_event event{events, {.u64 = id}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) < 0)
        return Error::last("watch descriptor");
    handlers_.emplace(id, std::make_shared<Handler>(std::move(handler)));
    return Watch(this, id, fd);
}

Timer EventLoop::after(Clock::duration delay, Callback callback) {
    const uint64_t id = next_id_++;
    const auto time = Clock::now() + delay;
    timers_.emplace(std::pair(time, id), std::move(callback));
    timer_times_.emplace(id, time);
    return Timer(this, id);
}

Result<void> EventLoop::run() {
    while (!stopped_)
        HRUN_TRY(run_once(kForever));
    stopped_ = false;
    return {};
}

Result<void> EventLoop::run_once(Clock::duration limit) {
    epoll_event events[kEventsPerWait];
    const int count = epoll_wait(epoll_.get(), events, kEventsPerWait, timeout_ms(limit));
    if (count < 0 && errno != EINTR)
        return Error::last("wait for events");
    for (int i = 0; i < count; ++i)
        dispatch(events[i].data.u64, events[i].events);
    run_timers();
    return {};
}

// The handler may destroy its own watch, so it is kept alive while it runs.
void EventLoop::dispatch(uint64_t id, uint32_t events) {
    const auto entry = handlers_.find(id);
    if (entry == handlers_.end())
        return;
    const std::shared_ptr<Handler> handler = entry->second;
    (*handler)(events);
}

void EventLoop::run_timers() {
    const auto now = Clock::now();
    while (!timers_.empty() && timers_.begin()->first.first <= now) {
        const auto entry = timers_.extract(timers_.begin());
        timer_times_.erase(entry.key().second);
        entry.mapped()();
    }
}

int EventLoop::timeout_ms(Clock::duration limit) const {
    if (!timers_.empty())
        limit = std::min(limit, timers_.begin()->first.first - Clock::now());
    return static_cast<int>(
        std::max<int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(limit).count()));
}

} // namespace hrun
