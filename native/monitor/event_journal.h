// SPDX-License-Identifier: Apache-2.0
// The keeper's lines in the store's journal of events, events.log; src/container/event-journal.ts writes the others and
// docs/store.md says what a line is.
#pragma once

#include <map>
#include <string>

namespace hrun::monitor {

class EventJournal {
  public:
    // Of a container whose directory is <store>/containers/<id>; of any other, nothing is written.
    EventJournal(const std::string& directory, std::string id);

    // Appends that `action` has happened to the container, now. What fails is not worth more than a missing line.
    void write(const std::string& action, const std::map<std::string, std::string>& attributes = {}) const;

  private:
    void append(const std::string& line) const;

    std::string store_; // empty: no journal
    std::string id_;
    std::string image_;
    std::map<std::string, std::string> attributes_; // image, name and labels, as Docker has them
};

} // namespace hrun::monitor
