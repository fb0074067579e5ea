// SPDX-License-Identifier: Apache-2.0
#include "monitor/output.h"

namespace hrun::monitor {

bool Output::append(std::string_view bytes) {
    if (ended_ || bytes.size() > HRUN_INITIAL_CREDIT - (end() - begin()))
        return false;
    if (dropped_ > HRUN_INITIAL_CREDIT) {
        bytes_.erase(0, dropped_);
        dropped_ = 0;
    }
    bytes_ += bytes;
    return true;
}

std::string_view Output::read(uint64_t position, size_t size) const {
    return std::string_view(bytes_).substr(dropped_ + static_cast<size_t>(position - begin_), size);
}

size_t Output::drop_before(uint64_t position) {
    const auto count = static_cast<size_t>(position - begin_);
    begin_ = position;
    dropped_ += count;
    if (dropped_ == bytes_.size()) {
        bytes_.clear();
        dropped_ = 0;
    }
    return count;
}

} // namespace hrun::monitor
