// SPDX-License-Identifier: Apache-2.0
#include "jail/cgroup_hierarchies.h"

#include <doctest/doctest.h>

namespace hrun::jail {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("version 2 alone is one hierarchy") {
    const auto found =
        parse_hierarchies("0::/user.slice/session-3.scope\n",
                          "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].unified);
    CHECK(found[0].mount_point == "/sys/fs/cgroup");
    CHECK(found[0].own == "/sys/fs/cgroup/user.slice/session-3.scope");
}

TEST_CASE("version 1 has a hierarchy per mount, whatever order the controllers stand in") {
    const auto found =
        parse_hierarchies("4:memory:/a/b\n3:cpu,cpuacct:/\n1:name=systemd:/init.scope\n",
                          "35 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                          "36 30 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpuacct,cpu\n"
                          "37 30 0:32 / /proc rw - proc proc rw\n");
    REQUIRE(found.size() == 2);
    CHECK(found[0].own == "/sys/fs/cgroup/memory/a/b");
    CHECK(found[0].controllers == Names{"memory"});
    CHECK(!found[0].unified);
    CHECK(found[1].own == "/sys/fs/cgroup/cpu,cpuacct");
    CHECK(found[1].has("cpuacct"));
}

TEST_CASE("a part of the tree that a container sees begins at its own root") {
    const auto found =
        parse_hierarchies("4:memory:/docker/c0ffee/x\n",
                          "35 30 0:30 /docker/c0ffee /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].own == "/sys/fs/cgroup/memory/x");
}

TEST_CASE("what makes no sense is no hierarchy") {
    CHECK(parse_hierarchies("", "").empty());
    CHECK(parse_hierarchies("nonsense\n4:memory\n", "35 30\n - \n").empty());
    CHECK(parse_hierarchies("0::/\n", "1 2 0:1 / /sys/fs/cgroup rw - cgroup2\n").empty());
}

} // namespace
} // namespace hrun::jail
