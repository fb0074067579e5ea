// SPDX-License-Identifier: Apache-2.0
// A file about something that lives as long as this process: it is locked, so that a file whose lock is free tells of what is
// dead, whatever killed it. src/network/live-records.ts reads them.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::monitor {

class LiveRecord {
  public:
    LiveRecord() = default;
    LiveRecord(LiveRecord&&) = default;
    LiveRecord& operator=(LiveRecord&&) = default;

    // Makes the file, or replaces what a dead one has left; its directory is made too.
    static Result<LiveRecord> create(const std::string& path, const std::string& text);
    // The same for another process, by a descriptor that locks the file and cannot write to it.
    static Result<Fd> create_for_other(const std::string& path, const std::string& text);
    // Leaves it without text.
    void clear();
    // Removes it.
    void remove();
    // In a forked process: leaves the file to its owner.
    void forget() { *this = LiveRecord(); }

  private:
    std::string path_;
    Fd file_;
};

// The lock under which networks, leases and records change: <store>/networks/.lock of a container's directory.
Result<Fd> lock_networks(const std::string& container_directory);
// <store>/networks of a container's directory; empty when it lies elsewhere.
std::string networks_directory(const std::string& container_directory);

} // namespace hrun::monitor
