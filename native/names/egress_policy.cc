// SPDX-License-Identifier: Apache-2.0
#include "names/egress_policy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "base/fd.h"

namespace hrun::names {

namespace {

constexpr char kDirectory[] = ".egress/";
constexpr size_t kPart = 16384;
constexpr size_t kMostText = 1 << 20;

std::string read_all(int file) {
    std::string text(kPart, '\0');
    size_t size = 0;
    for (ssize_t got; (got = read(file, text.data() + size, text.size() - size)) > 0 && size < kMostText;) {
        size += static_cast<size_t>(got);
        text.resize(size + kPart);
    }
    text.resize(size);
    return text;
}

} // namespace

bool EgressPolicy::allows(const std::string& name) const {
    return std::any_of(names.begin(), names.end(), [&name](const std::string& allowed) {
        if (!allowed.starts_with("*."))
            return name == allowed;
        return name.size() >= allowed.size() && name.ends_with(std::string_view(allowed).substr(1));
    });
}

EgressPolicy parse_egress_policy(const std::string& text) {
    EgressPolicy policy;
    std::istringstream lines(text);
    for (std::string word, value; lines >> word >> value;)
        if (word == "name")
            policy.names.push_back(value);
    return policy;
}

std::optional<EgressPolicy> read_egress_policy(const std::string& id) {
    const Fd file(open((kDirectory + id).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file.valid() && errno == ENOENT)
        return std::nullopt;
    return file.valid() ? parse_egress_policy(read_all(file.get())) : EgressPolicy();
}

} // namespace hrun::names
