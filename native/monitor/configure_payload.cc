// SPDX-License-Identifier: Apache-2.0
#include "monitor/configure_payload.h"

#include <sys/random.h>
#include <time.h>

#include <cstring>

#include "monitor/frames.h"

namespace hrun::monitor {

namespace {

constexpr size_t kEntropyBytes = 64;
constexpr uint16_t kFirstNetworkTag = HRUN_CONF_NIC;
constexpr uint16_t kLastNetworkTag = 63;

void append(std::string& payload, hrun_configure_tag tag, std::string_view value) {
    const hrun_tlv tlv{static_cast<uint16_t>(tag), 0, static_cast<uint32_t>(value.size())};
    payload.append(bytes_of(tlv)).append(value);
}

uint64_t realtime_ns() {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

} // namespace

Result<std::string> configure_payload(std::string_view stored) {
    char entropy[kEntropyBytes];
    if (getrandom(entropy, sizeof entropy, 0) != sizeof entropy) // never short up to 256 bytes, random(7)
        return Error::last("get entropy");
    std::string payload(stored);
    append(payload, HRUN_CONF_ENTROPY, {entropy, sizeof entropy});
    append(payload, HRUN_CONF_TIME, bytes_of(realtime_ns()));
    if (payload.size() > HRUN_MAX_PAYLOAD)
        return Error{E2BIG, "configure the guest"};
    return payload;
}

// What is no TLV stays, for the agent to refuse.
std::string without_networks(std::string_view stored) {
    std::string kept;
    hrun_tlv tlv;
    while (stored.size() >= sizeof tlv) {
        std::memcpy(&tlv, stored.data(), sizeof tlv);
        if (tlv.length > stored.size() - sizeof tlv)
            break;
        const size_t size = sizeof tlv + tlv.length;
        if (tlv.tag < kFirstNetworkTag || tlv.tag > kLastNetworkTag)
            kept.append(stored.substr(0, size));
        stored.remove_prefix(size);
    }
    return kept.append(stored);
}

} // namespace hrun::monitor
