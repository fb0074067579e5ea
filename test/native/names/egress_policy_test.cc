// SPDX-License-Identifier: Apache-2.0
#include "names/egress_policy.h"

#include <doctest/doctest.h>

using namespace hrun::names;

TEST_CASE("a policy allows its names, and with a star every name below one") {
    const EgressPolicy policy =
        parse_egress_policy("subnet 10.0.0.0/8\nname example.com\nname *.example.org\nwhatever else\n");
    for (const char* name : {"example.com", "a.example.org", "b.a.example.org"})
        CHECK_MESSAGE(policy.allows(name), name);
    for (const char* name : {"", "com", "www.example.com", "badexample.com", "example.org", "badexample.org",
                             ".example.org.", "10.0.0.0/8"})
        CHECK_MESSAGE(!policy.allows(name), name);
}

TEST_CASE("a policy of nothing allows nothing, and a machine without one has none") {
    CHECK_FALSE(parse_egress_policy("").allows("example.com"));
    CHECK_FALSE(parse_egress_policy("").allows(""));
    CHECK_FALSE(read_egress_policy("0123"));
}
