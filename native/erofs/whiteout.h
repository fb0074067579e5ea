// SPDX-License-Identifier: Apache-2.0
// Names with a meaning of their own (OCI image-spec, layer.md, "Whiteouts").
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"

namespace hrun::erofs {

enum class NameMeaning {
    kPlain,
    kWhiteout, // ".wh.NAME": NAME of the lower layers is gone
    kOpaque,   // ".wh..wh..opq": everything in the directory is
    kIgnored,  // other ".wh..wh.*": what AUFS left behind
};

// What the last component of a path means; kLayerCorrupt for whiteouts that name nothing or stand in the
// middle of a path.
Result<NameMeaning> name_meaning(const std::vector<std::string_view>& components);

// NAME of ".wh.NAME".
std::string_view whited_out_name(std::string_view component);

} // namespace hrun::erofs
