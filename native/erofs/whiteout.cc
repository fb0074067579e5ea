// SPDX-License-Identifier: Apache-2.0
#include "erofs/whiteout.h"

#include "erofs/layer_error.h"

namespace hrun::erofs {
namespace {

constexpr std::string_view kPrefix = ".wh.", kMetaPrefix = ".wh..wh.", kOpaque = ".wh..wh..opq";

} // namespace

std::string_view whited_out_name(std::string_view component) {
    return component.substr(kPrefix.size());
}

Result<NameMeaning> name_meaning(const std::vector<std::string_view>& components) {
    NameMeaning meaning = NameMeaning::kPlain;
    for (std::string_view component : components) {
        if (meaning != NameMeaning::kPlain)
            return corrupt("a whiteout stands in the middle of a path");
        if (component == kOpaque)
            meaning = NameMeaning::kOpaque;
        else if (component.starts_with(kMetaPrefix))
            return NameMeaning::kIgnored;
        else if (component.starts_with(kPrefix))
            meaning = NameMeaning::kWhiteout;
    }
    if (meaning == NameMeaning::kWhiteout) {
        const std::string_view name = whited_out_name(components.back());
        if (name.empty() || name == "." || name == "..")
            return corrupt("a whiteout names no file");
    }
    return meaning;
}

} // namespace hrun::erofs
