// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "base/unix_socket.h"
#include "devices/virtio/vsock.h"
#include "harness.h"

using namespace hrun;
using hrun::test::GuestRun;
using hrun::test::kvm_usable;

TEST_CASE(
    "a vsock driver that lies about lengths and credit, and opens without end, loses its own connections" *
    doctest::skip(!kvm_usable())) {
    GuestRun run("hostile-vsock");
    std::vector<Fd> hosts; // never read from
    size_t most = 0;
    virtio::VsockDevice* vsock = nullptr;
    vsock =
        &run.add(0, std::make_unique<virtio::VsockDevice>(run.loop(), 3, [&](uint32_t port) -> Result<Fd> {
                     auto pair = unix_pair();
                     if (port != 5 || !pair)
                         return Error{ECONNREFUSED, "accept"};
                     most = std::max(most, vsock->connection_count() + 1);
                     std::erase_if(hosts, [](const Fd& host) { // those whose guest has gone
                         char byte;
                         return read(host.get(), &byte, 1) == 0;
                     });
                     hosts.push_back(std::move(pair->first));
                     return std::move(pair->second);
                 }));
    run.start();
    run.expect_ok();
    CHECK(most == virtio::VsockDevice::kMaxConnections);
}
