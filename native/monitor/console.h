// SPDX-License-Identifier: Apache-2.0
// The guest kernel's console: kept in console.log, bounded, and searched for the kernel's last words.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::monitor {

class Console {
  public:
    static constexpr uint64_t kMaxBytes = 1024 * 1024;

    // Keeps the newest bytes in console.log of `directory`, at most kMaxBytes. `panicked` is called when the kernel says
    // that it panics.
    static Result<std::unique_ptr<Console>> open(int directory, std::function<void()> panicked);

    // What the guest has said.
    void append(std::string_view bytes);
    // The line with which the kernel panicked; empty when it did not.
    const std::string& panic() const { return panic_; }
    // The last line that says anything.
    const std::string& last_line() const { return last_line_; }

  private:
    Console(Fd file, std::function<void()> panicked)
        : file_(std::move(file)), panicked_(std::move(panicked)) {}
    void keep(std::string_view bytes);
    void search(std::string_view bytes);
    void end_line();

    Fd file_;
    std::function<void()> panicked_;
    uint64_t size_ = 0;
    std::string line_;
    std::string last_line_;
    std::string panic_;
};

} // namespace hrun::monitor
