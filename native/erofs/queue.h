// SPDX-License-Identifier: Apache-2.0
// A bounded queue between two threads; bounded memory and back-pressure come from its capacity. A producer that found
// it full sleeps until it is half empty: one wake-up for many items, not one for each.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace hrun::erofs {

template <class T> class BoundedQueue {
  public:
    explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

    // Waits for room. False once the queue is cancelled.
    bool push(T value) {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return cancelled_ || items_.size() < capacity_; });
        if (cancelled_)
            return false;
        items_.push_back(std::move(value));
        filled_.notify_one();
        return true;
    }

    // Waits for an item. Nothing once the queue is cancelled.
    std::optional<T> pop() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [&] { return cancelled_ || !items_.empty(); });
        if (cancelled_)
            return std::nullopt;
        T value = std::move(items_.front());
        items_.pop_front();
        if (items_.size() <= capacity_ / 2)
            room_.notify_one();
        return value;
    }

    // Both ends return at once from now on; what is queued is dropped. Idempotent.
    void cancel() {
        std::deque<T> dropped;
        {
            std::lock_guard lock(mutex_);
            cancelled_ = true;
            dropped.swap(items_);
        }
        room_.notify_all();
        filled_.notify_all();
    }

  private:
    const size_t capacity_;
    std::mutex mutex_;
    std::condition_variable room_, filled_;
    std::deque<T> items_;
    bool cancelled_ = false;
};

} // namespace hrun::erofs
