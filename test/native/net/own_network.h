// SPDX-License-Identifier: Apache-2.0
// A network namespace of a test's own.
#pragma once

#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <thread>

namespace hrun::net::test {

// Runs `body` on a thread with a network of its own; false where that cannot be.
template <class Body> bool in_own_network(const Body& body) {
    bool made = false;
    std::thread([&] {
        made = unshare(CLONE_NEWNET) == 0 && access("/dev/net/tun", R_OK | W_OK) == 0;
        if (made)
            body();
    }).join();
    if (!made)
        MESSAGE("skipped: this host cannot give a test a network namespace and /dev/net/tun");
    return made;
}

} // namespace hrun::net::test
