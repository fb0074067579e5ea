// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cstring>

namespace hrun {

std::string Error::message() const {
    return what + ": " + strerrordesc_np(code);
}

} // namespace hrun
