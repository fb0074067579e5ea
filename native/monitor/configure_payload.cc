// SPDX-License-Identifier: Apache-2.0
#include "monitor/configure_payload.h"

#include <sys/random.h>
#include <time.h>

#include <charconv>
#include <cstring>

#include "monitor/frames.h"

namespace hrun::monitor {

namespace {

constexpr size_t kEntropyBytes = 64;
constexpr uint16_t kFirstNetworkTag = HRUN_CONF_NIC;
constexpr uint16_t kLastNetworkTag = 63;

bool is_of_networks(uint16_t tag) {
    return tag >= kFirstNetworkTag && tag <= kLastNetworkTag;
}

void append(std::string& payload, hrun_configure_tag tag, std::string_view value) {
    const hrun_tlv tlv{static_cast<uint16_t>(tag), 0, static_cast<uint32_t>(value.size())};
    payload.append(bytes_of(tlv)).append(value);
}

// Returns what is no TLV: it stays, for the agent to refuse.
template <class Take> std::string_view each_tlv(std::string_view stored, Take take) {
    hrun_tlv tlv;
    while (stored.size() >= sizeof tlv) {
        std::memcpy(&tlv, stored.data(), sizeof tlv);
        if (tlv.length > stored.size() - sizeof tlv)
            break;
        take(tlv.tag, stored.substr(sizeof tlv, tlv.length));
        stored.remove_prefix(sizeof tlv + tlv.length);
    }
    return stored;
}

unsigned placed_slot(unsigned slot, const std::map<unsigned, unsigned>& slots) {
    const auto found = slots.find(slot);
    return found == slots.end() ? slot : found->second;
}

// A mount of a volume's disk is "disk NUL slot NUL target NUL options".
std::string placed_mount(std::string_view value, const std::map<unsigned, unsigned>& slots) {
    constexpr std::string_view kDisk("disk\0", 5);
    unsigned slot = 0;
    if (!value.starts_with(kDisk))
        return std::string(value);
    const std::string_view rest = value.substr(kDisk.size());
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), slot);
    if (error != std::errc{})
        return std::string(value);
    return std::string(kDisk) + std::to_string(placed_slot(slot, slots)) +
           std::string(rest.substr(static_cast<size_t>(end - rest.data())));
}

std::string placed_value(uint16_t tag, std::string_view value, const std::map<unsigned, unsigned>& slots) {
    uint32_t slot;
    if (tag == HRUN_CONF_MOUNT)
        return placed_mount(value, slots);
    if ((tag != HRUN_CONF_LAYER && tag != HRUN_CONF_WRITABLE) || value.size() != sizeof slot)
        return std::string(value);
    std::memcpy(&slot, value.data(), sizeof slot);
    const uint32_t placed = placed_slot(slot, slots);
    return std::string(bytes_of(placed));
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

Result<hrun_wake> wake_payload() {
    hrun_wake wake{realtime_ns(), {HRUN_INITIAL_CREDIT, HRUN_INITIAL_CREDIT}, {}};
    if (getrandom(wake.entropy, sizeof wake.entropy, 0) != sizeof wake.entropy)
        return Error::last("get entropy");
    return wake;
}

std::string identity_of(std::string_view stored) {
    std::string identity;
    each_tlv(stored, [&identity](uint16_t tag, std::string_view value) {
        if (tag == HRUN_CONF_HOSTNAME || tag == HRUN_CONF_FILE || is_of_networks(tag))
            append(identity, static_cast<hrun_configure_tag>(tag), value);
    });
    return identity;
}

std::string without_networks(std::string_view stored) {
    std::string kept;
    const auto rest = each_tlv(stored, [&kept](uint16_t tag, std::string_view value) {
        if (!is_of_networks(tag))
            append(kept, static_cast<hrun_configure_tag>(tag), value);
    });
    return kept.append(rest);
}

std::string with_slots(std::string_view stored, const std::map<unsigned, unsigned>& slots) {
    std::string placed;
    const auto rest = each_tlv(stored, [&](uint16_t tag, std::string_view value) {
        append(placed, static_cast<hrun_configure_tag>(tag), placed_value(tag, value, slots));
    });
    return placed.append(rest);
}

} // namespace hrun::monitor
