// SPDX-License-Identifier: Apache-2.0
// One thread's event loop over epoll: descriptors and timers.
//
// Everything registered is owned by a handle; destroying the handle unregisters at once, also from inside a
// callback and also when an event for it has already been collected. Not thread-safe: the loop and all its handles
// belong to the thread that calls run().
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "base/fd.h"
#include "base/result.h"

namespace hrun {

class EventLoop;

// A descriptor under watch. The descriptor itself stays its owner's and must outlive the watch.
class Watch {
  public:
    Watch() = default;
    Watch(Watch&& other) noexcept;
    Watch& operator=(Watch&& other) noexcept;
    ~Watch() { reset(); }

    // Changes the events waited for (EPOLLIN, ...).
    void modify(uint32_t events);
    void reset();
    bool active() const { return loop_ != nullptr; }

  private:
    friend class EventLoop;
    Watch(EventLoop* loop, uint64_t id, int fd) : loop_(loop), id_(id), fd_(fd) {}

    EventLoop* loop_ = nullptr;
    uint64_t id_ = 0;
    int fd_ = -1;
};

// A call at a later time, once.
class Timer {
  public:
    Timer() = default;
    Timer(Timer&& other) noexcept;
    Timer& operator=(Timer&& other) noexcept;
    ~Timer() { reset(); }

    void reset();
    bool active() const;

  private:
    friend class EventLoop;
    Timer(EventLoop* loop, uint64_t id) : loop_(loop), id_(id) {}

    EventLoop* loop_ = nullptr;
    uint64_t id_ = 0;
};

class EventLoop {
  public:
    using Clock = std::chrono::steady_clock;
    using Handler = std::function<void(uint32_t events)>;
    using Callback = std::function<void()>;

    static Result<std::unique_ptr<EventLoop>> create();

    // Calls `handler` whenever one of `events` (EPOLLIN, EPOLLOUT, EPOLLET, ...) is there.
    Result<Watch> watch(int fd, uint32_t events, Handler handler);
    // Calls `callback` once after `delay`. With no delay: after the events that are due already, which is how a
    // handler with much to do lets others have their turn.
    Timer after(Clock::duration delay, Callback callback);

    // Serves events until stop() is called, or not at all when it was called before.
    Result<void> run();
    // Serves what is due now, waiting at most `limit` for something to be due.
    Result<void> run_once(Clock::duration limit);
    void stop() { stopped_ = true; }

  private:
    friend class Watch;
    friend class Timer;
    explicit EventLoop(Fd epoll) : epoll_(std::move(epoll)) {}

    void dispatch(uint64_t id, uint32_t events);
    void run_timers();
    int timeout_ms(Clock::duration limit) const;

    Fd epoll_;
    uint64_t next_id_ = 1; // never reused, so that a stale event finds nothing
    std::unordered_map<uint64_t, std::shared_ptr<Handler>> handlers_;
    std::map<std::pair<Clock::time_point, uint64_t>, Callback> timers_;
    std::unordered_map<uint64_t, Clock::time_point> timer_times_;
    bool stopped_ = false;
};

} // namespace hrun
