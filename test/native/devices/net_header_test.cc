// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/net_header.h"

#include <doctest/doctest.h>

namespace hrun::virtio {
namespace {

constexpr uint64_t kAll =
    kNetCsum | kNetGuestCsum | kNetGuestTso4 | kNetGuestTso6 | kNetHostTso4 | kNetHostTso6 | kNetMrgRxbuf;
constexpr uint32_t kSize = 1514;

NetHeader segmented() {
    return {kNetNeedsCsum, kNetGsoTcpV4, 54, 1460, 34, 16, 0};
}

TEST_CASE("a header that asks for nothing is handed on as zeroes") {
    const auto checked = check_transmit_header({0xfe, 0, 7, 7, 7, 7, 7}, kSize, 0);
    REQUIRE(checked);
    CHECK(checked->flags == 0);
    CHECK(checked->hdr_len == 0);
    CHECK(checked->csum_start == 0);
    CHECK(checked->num_buffers == 0);
}

TEST_CASE("a checksum must lie in the packet and be agreed on") {
    NetHeader header{kNetNeedsCsum, 0, 0, 0, 34, 6, 0};
    CHECK(check_transmit_header(header, 42, kAll));
    CHECK_FALSE(check_transmit_header(header, 41, kAll));
    CHECK_FALSE(check_transmit_header(header, 42, kAll & ~kNetCsum));
    header.csum_start = header.csum_offset = UINT16_MAX;
    CHECK_FALSE(check_transmit_header(header, kMaxFrame, kAll));
}

TEST_CASE("segmentation must be agreed on, of a known kind, with checksum and a size") {
    CHECK(check_transmit_header(segmented(), kSize, kAll)->gso_size == 1460);
    CHECK_FALSE(check_transmit_header(segmented(), kSize, kAll & ~kNetHostTso4));
    NetHeader header = segmented();
    header.gso_type = kNetGsoTcpV6;
    CHECK(check_transmit_header(header, kSize, kAll));
    CHECK_FALSE(check_transmit_header(header, kSize, kAll & ~kNetHostTso6));
    for (const int type : {2, 3, 5, 0x80, 0x81, 0xff}) {
        header.gso_type = static_cast<uint8_t>(type);
        CHECK_FALSE(check_transmit_header(header, kSize, kAll));
    }
    header = segmented();
    header.flags = 0;
    CHECK_FALSE(check_transmit_header(header, kSize, kAll));
    header = segmented();
    header.gso_size = 0;
    CHECK_FALSE(check_transmit_header(header, kSize, kAll));
    header = segmented();
    header.hdr_len = kSize + 1;
    CHECK_FALSE(check_transmit_header(header, kSize, kAll));
}

TEST_CASE("offloads without what they build upon are not used") {
    CHECK(usable_offloads(kAll) == kAll);
    CHECK(usable_offloads(kNetHostTso4 | kNetHostTso6) == 0);
    CHECK(usable_offloads(kNetGuestTso4 | kNetCsum) == kNetCsum);
    CHECK(usable_offloads(kNetMac | kNetStatus | 1ull << 32) == 0);
}

TEST_CASE("a driver is shown no packet that needs more than it agreed to") {
    CHECK(check_receive_header(segmented(), kAll));
    CHECK_FALSE(check_receive_header(segmented(), kAll & ~kNetGuestTso4));
    CHECK_FALSE(check_receive_header(segmented(), 0));
    NetHeader header{};
    header.gso_type = kNetGsoTcpV6;
    CHECK(check_receive_header(header, kAll));
    CHECK_FALSE(check_receive_header(header, kAll & ~kNetGuestTso6));
    header = {2, 0, 0, 0, 0, 0, 0}; // DATA_VALID
    CHECK(check_receive_header(header, kAll)->flags == 2);
    CHECK(check_receive_header(header, 0)->flags == 0);
}

} // namespace
} // namespace hrun::virtio
