// SPDX-License-Identifier: Apache-2.0
// What the agent makes of a hostile image's /etc/passwd and /etc/group.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" {
#include "users.h"
}

// Three parts, separated by NUL: the user as asked for, passwd, group.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view all(reinterpret_cast<const char*>(data), size);
    size_t first = all.find('\0');
    if (first == std::string_view::npos)
        return 0;
    std::string spec(all.substr(0, first));
    all.remove_prefix(first + 1);
    size_t second = all.find('\0');
    // Copies of exact size, so that a read past the end is seen.
    std::string passwd(all.substr(0, second));
    std::string group(second == std::string_view::npos ? "" : all.substr(second + 1));
    string_list additional{};
    identity identity{};
    err err{};
    int result = users_resolve({passwd.data(), passwd.size()}, {group.data(), group.size()}, spec.c_str(),
                               &additional, &identity, &err);
    if (result == 0 && (identity.group_count == 0 || identity.groups[0] != identity.gid || !identity.home))
        abort();
    if (result < 0 && err.text[0] == '\0')
        abort();
    identity_free(&identity);
    return 0;
}
