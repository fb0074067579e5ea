// SPDX-License-Identifier: Apache-2.0
// What a machine that may not go everywhere may ask of other servers: `.egress/<id>` in the working directory, which
// src/network/egress.ts writes.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hrun::names {

struct EgressPolicy {
    std::vector<std::string>
        names; // in lower case: "example.com", or "*.example.com" for every name below it

    // `name` in lower case, without the last dot.
    bool allows(const std::string& name) const;
};

// Lines "name example.com"; others are passed over.
EgressPolicy parse_egress_policy(const std::string& text);

// Nothing for a machine that may go everywhere. One whose file cannot be read may ask nothing.
std::optional<EgressPolicy> read_egress_policy(const std::string& id);

} // namespace hrun::names
