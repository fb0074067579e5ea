// SPDX-License-Identifier: Apache-2.0
// container.log: the output of the container's process in Docker's json-file format, with rotation.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "monitor/config.h"
#include "monitor/log_line.h"

namespace hrun::monitor {

class LogFile {
  public:
    static constexpr size_t kMaxLine = 16 * 1024; // a longer line is logged in pieces, as Docker does

    // Appends to `name` in `directory`, a descriptor that stays the caller's and outlives this. Rotated files are name.1,
    // name.2, ... With config.enabled false nothing is opened or written.
    static Result<LogFile> open(int directory, std::string name, const LogConfig& config);

    // Logs bytes of HRUN_STDOUT or HRUN_STDERR. A line is written when it is complete or kMaxLine long.
    void append(uint8_t stream, std::string_view bytes);
    // The stream has ended: what is left of it is a line.
    void end_of_stream(uint8_t stream);
    // Writes what has been collected. ENOSPC, EIO: the log is incomplete.
    Result<void> flush();
    // Collected bytes are worth a write.
    bool wants_flush() const { return buffer_.size() >= kFlushBytes; }

  private:
    static constexpr size_t kFlushBytes = 256 * 1024;

    LogFile(int directory, std::string name, const LogConfig& config)
        : directory_(directory), name_(std::move(name)), config_(config),
          attributes_(log_attributes(config.attributes)) {}

    Result<void> open_current();
    Result<void> rotate();
    void write_line(uint8_t stream, std::string_view line);
    std::string rotated(unsigned number) const { return name_ + "." + std::to_string(number); }

    int directory_;
    std::string name_;
    LogConfig config_;
    std::string attributes_;
    Fd file_;
    uint64_t size_ = 0;
    std::string buffer_;
    std::array<std::string, 2> partial_; // unfinished lines of stdout and stderr
};

} // namespace hrun::monitor
