// SPDX-License-Identifier: Apache-2.0
#include "net/message.h"

#include <doctest/doctest.h>
#include <linux/rtnetlink.h>

#include <cstring>

using namespace hrun::net;

TEST_CASE("attributes come back as they were put, nested ones inside of theirs") {
    Message message(RTM_NEWLINK, NLM_F_ACK, ifinfomsg{});
    message.put(IFLA_IFNAME, std::string("tap7")).put_u32(IFLA_MTU, 1400);
    message.begin_nested(IFLA_LINKINFO).put(IFLA_INFO_KIND, std::string("bridge")).end_nested();
    const auto bytes = message.bytes(5);
    nlmsghdr head;
    memcpy(&head, bytes.data(), sizeof head);
    CHECK(head.nlmsg_len == bytes.size());
    CHECK(head.nlmsg_seq == 5);
    CHECK(head.nlmsg_flags == (NLM_F_REQUEST | NLM_F_ACK));
    auto found = attributes(bytes.subspan(sizeof head + sizeof(ifinfomsg)));
    CHECK(text_of(found[IFLA_IFNAME]) == "tap7");
    CHECK(u32_of(found[IFLA_MTU]) == 1400);
    CHECK(text_of(attributes(found[IFLA_LINKINFO])[IFLA_INFO_KIND]) == "bridge");
    CHECK(u32_of(found[IFLA_IFNAME]) == 0);
}

TEST_CASE(
    "an attribute that says it is longer than the message, or shorter than its head, ends the reading") {
    for (const uint16_t length : {uint16_t{3}, uint16_t{0}, uint16_t{9}}) {
        struct {
            nlattr head;
            uint32_t value;
        } bytes{{length, IFLA_MTU}, 1500};
        CHECK(attributes(std::as_bytes(std::span(&bytes, 1))).empty());
    }
}
