// SPDX-License-Identifier: Apache-2.0
#include "erofs/path.h"

#include "erofs/layer_error.h"

namespace hrun::erofs {

Result<std::vector<std::string_view>> split_path(std::string_view path, const Limits& limits) {
    if (path.size() > limits.max_path_bytes)
        return over_limit("a path of more than " + std::to_string(limits.max_path_bytes) + " bytes");
    std::vector<std::string_view> components;
    while (!path.empty()) {
        const size_t slash = path.find('/');
        const std::string_view component = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        if (component.size() > kMaxNameBytes)
            return over_limit("a file name of more than " + std::to_string(kMaxNameBytes) + " bytes");
        if (component == ".." && !components.empty())
            components.pop_back();
        else if (!component.empty() && component != "." && component != "..")
            components.push_back(component);
    }
    if (components.size() > limits.max_depth)
        return over_limit("a path of more than " + std::to_string(limits.max_depth) + " components");
    return components;
}

} // namespace hrun::erofs
