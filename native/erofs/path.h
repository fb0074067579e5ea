// SPDX-License-Identifier: Apache-2.0
// Names from an archive, made harmless. They only ever become names inside the image; no host path is
// made from them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "erofs/limits.h"

namespace hrun::erofs {

// The components of `path`, cleaned as text: "./", "//" and a leading or trailing "/" mean nothing, ".."
// takes back one component and stops at the root. Empty for the root itself. The views point into `path`.
// kLayerLimit if the path is too long or too deep or a component has more than 255 bytes.
Result<std::vector<std::string_view>> split_path(std::string_view path, const Limits& limits);

} // namespace hrun::erofs
