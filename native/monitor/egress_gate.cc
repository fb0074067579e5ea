// SPDX-License-Identifier: Apache-2.0
#include "monitor/egress_gate.h"

#include <arpa/inet.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "jail/filter.h"
#include "jail/limits.h"
#include "jail/privileges.h"
#include "net/allowed_addresses.h"

namespace hrun::monitor {

namespace {

constexpr size_t kIdLength = 64;
constexpr uint32_t kLeastSeconds = 300, kMostSeconds = 86400;
constexpr timeval kAnswerLimit{1, 0};
constexpr uint64_t kDescriptors = 16;

struct Request {
    char id[kIdLength];
    Ip address;
    uint32_t seconds;
};

bool is_id(std::string_view id) {
    return id.find_first_not_of("0123456789abcdef") == id.npos;
}

// RFC 6890: 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, and 224.0.0.0 up; in IPv6 ::/32 (loopback, IPv4 in disguise), fe80::/10 and ff00::/8.
bool is_host_elsewhere(const Ip& address) {
    uint32_t first = 0;
    memcpy(&first, address.bytes.data(), sizeof first);
    const uint32_t value = ntohl(first);
    if (address.family == AF_INET6)
        return value != 0 && value >> 22 != 0xfe80 >> 6 && value >> 24 != 0xff;
    return value >> 24 != 0 && value >> 24 != 127 && value >> 16 != 0xa9fe && value >> 28 < 0xe;
}

bool carry_out(net::AllowedAddresses& allowed, const Request& request) {
    const std::string id(request.id, sizeof request.id);
    const int family = request.address.family;
    if (!is_id(id) || (family != AF_INET && family != AF_INET6))
        return false;
    if (!is_host_elsewhere(request.address))
        return true;
    const auto done =
        allowed.allow(id, request.address, std::clamp(request.seconds, kLeastSeconds, kMostSeconds));
    if (!done)
        dprintf(STDERR_FILENO, "hrun-vmm: %s\n", done.error().message().c_str());
    return static_cast<bool>(done);
}

Result<void> enter_jail(int link) {
    HRUN_TRY(jail::die_with_parent(link));
    HRUN_TRY(jail::set_limits(kDescriptors));
    HRUN_TRY(jail::drop_privileges(uint64_t{1} << CAP_NET_ADMIN));
    HRUN_TRY(jail::become_opaque());
    return jail::Filter::of_thread(jail::ThreadKind::kEgressGate, getpid()).install();
}

Result<void> serve(int link, const std::string& table) {
    auto allowed = net::AllowedAddresses::open(table);
    if (!allowed)
        return allowed.error();
    HRUN_TRY(enter_jail(link));
    Request request;
    while (recv(link, &request, sizeof request, 0) == sizeof request) {
        const char done = carry_out(*allowed, request);
        send(link, &done, sizeof done, MSG_NOSIGNAL);
    }
    return {};
}

} // namespace

Result<EgressGate> EgressGate::start(const std::string& table) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return Error::last("create a link");
    Fd ours(ends[0]), theirs(ends[1]);
    if (setsockopt(ours.get(), SOL_SOCKET, SO_RCVTIMEO, &kAnswerLimit, sizeof kAnswerLimit) < 0)
        return Error::last("limit the wait for an answer");
    const pid_t pid = fork();
    if (pid < 0)
        return Error::last("start the egress gate");
    if (pid > 0)
        return EgressGate(std::move(ours));
    ours.reset();
    close(STDOUT_FILENO); // whoever waits for the name server is not to wait for this
    const auto served = serve(theirs.get(), table);
    if (!served)
        dprintf(STDERR_FILENO, "hrun-vmm: %s\n", served.error().message().c_str());
    _exit(served ? 0 : 1);
}

bool EgressGate::allow(const std::string& id, const std::vector<names::FoundAddress>& addresses) const {
    return std::all_of(addresses.begin(), addresses.end(), [&](const names::FoundAddress& found) {
        Request request{{}, found.address, found.seconds};
        char done = 0;
        id.copy(request.id, sizeof request.id);
        return send(link_.get(), &request, sizeof request, MSG_NOSIGNAL) == sizeof request &&
               recv(link_.get(), &done, sizeof done, 0) == sizeof done && done != 0;
    });
}

} // namespace hrun::monitor
