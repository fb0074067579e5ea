// SPDX-License-Identifier: Apache-2.0
// The guest kernel's console: kept in console.log, bounded, and searched for the kernel's last words.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/fd.h"
#include "base/result.h"

namespace hrun::monitor {

class Console {
  public:
    static constexpr uint64_t kMaxBytes = 1024 * 1024;

    // Reads `source`; keeps the newest bytes in `file`, at most kMaxBytes.
    Console(Fd source, Fd file) : source_(std::move(source)), file_(std::move(file)) {}

    // `panicked` is called when the kernel says that it panics.
    Result<void> start(EventLoop& loop, std::function<void()> panicked);
    // Reads what is there.
    void drain();
    // The line with which the kernel panicked; empty when it did not.
    const std::string& panic() const { return panic_; }
    // The last line that says anything.
    const std::string& last_line() const { return last_line_; }

  private:
    void keep(std::string_view bytes);
    void search(std::string_view bytes);
    void end_line();

    Fd source_;
    Fd file_;
    Watch watch_;
    std::function<void()> panicked_;
    uint64_t size_ = 0;
    std::string line_;
    std::string last_line_;
    std::string panic_;
};

} // namespace hrun::monitor
