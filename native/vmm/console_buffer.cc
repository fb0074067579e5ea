// SPDX-License-Identifier: Apache-2.0
#include "vmm/console_buffer.h"

#include <utility>

namespace hrun::vmm {

void ConsoleBuffer::put(char byte) {
    std::lock_guard lock(mutex_);
    if (bytes_.size() >= kLimit)
        bytes_.erase(0, kLimit / 2);
    bytes_ += byte;
    if (bytes_.size() == 1)
        filled_.signal();
}

std::string ConsoleBuffer::take() {
    filled_.drain();
    std::lock_guard lock(mutex_);
    return std::exchange(bytes_, {});
}

} // namespace hrun::vmm
