// SPDX-License-Identifier: Apache-2.0
#include "net/source_filter.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <cstring>

#include "net/clsact.h"
#include "net/rate_limits.h"

namespace hrun::net {

namespace {

// Offsets in an Ethernet frame; RFC 791, RFC 826, RFC 8200.
constexpr uint32_t kSource = 6, kType = 12, kIpSource = 26, kIpDestination = 30, kArpSourceMac = 22,
                   kArpSourceIp = 28;
constexpr uint32_t kIp6Length = 18, kIp6Next = 20, kIp6Source = 22, kIp6Payload = 54;
constexpr uint32_t kArpProbe = 0;
constexpr uint32_t kLoopbackMask = 0xff000000, kLoopback = 0x7f000000;

// RFC 4861, 4.3 and 4.4: a solicitation or advertisement is 24 bytes and the link-layer address, or less by that.
constexpr uint32_t kNeighbourTarget = kIp6Payload + 8, kNeighbourOption = kIp6Payload + 24;
constexpr uint32_t kBareNeighbour = 24, kWholeNeighbour = 32;
constexpr uint32_t kSourceOption = 0x0101, kTargetOption = 0x0201; // type, and length in units of 8 bytes
// RFC 8200, 4.5: the next header, a reserved byte, the offset.
constexpr uint32_t kFragmentNext = kIp6Payload, kFragmentOffset = kIp6Payload + 2,
                   kFragmentPayload = kIp6Payload + 8;
constexpr uint32_t kFragmentOffsetMask = 0xfff8;

// RFC 8200, 4.1, and what was added: hop by hop, routing, destination options, authentication, mobility, host identity, shim.
constexpr uint32_t kExtensions[] = {
    IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS, IPPROTO_AH, IPPROTO_MH, 139, 140};

enum class Verdict : uint32_t { kPass = TC_ACT_OK, kDrop = TC_ACT_SHOT };

// Instructions whose jumps lead to a verdict or to the next instruction: every comparison that fails, or holds, may end it.
class Program {
  public:
    void load(uint16_t size, uint32_t offset) { add(BPF_LD | BPF_ABS | size, 0, 0, offset); }
    // Goes on when equal, else drops.
    void require(uint32_t value) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
        end(Verdict::kDrop);
    }
    // Passes when equal, else goes on.
    void pass_if(uint32_t value) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
        end(Verdict::kPass);
    }
    // Drops when equal, else goes on.
    void drop_if(uint32_t value) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
        end(Verdict::kDrop);
    }
    // Drops when the bits of `mask` are those of `value`, else goes on.
    void refuse(uint32_t mask, uint32_t value) {
        keep_bits(mask);
        drop_if(value);
    }
    void keep_bits(uint32_t mask) { add(BPF_ALU | BPF_AND | BPF_K, 0, 0, mask); }
    // Passes over `count` instructions unless equal.
    void skip_unless(uint32_t value, size_t count) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
        skip(1);
        skip(count);
    }
    // Goes on when equal, else passes over `count` instructions.
    void go_on_if(uint32_t value, size_t count) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
        skip(count);
    }
    void skip(size_t count) { add(BPF_JMP | BPF_JA, 0, 0, static_cast<uint32_t>(count)); }
    // `part` when equal, else goes on behind it.
    void when(uint32_t value, const Program& part) {
        skip_unless(value, part.size());
        append(part);
    }
    void end(Verdict verdict) { add(BPF_RET | BPF_K, 0, 0, static_cast<uint32_t>(verdict)); }
    void append(const Program& other) { code_.insert(code_.end(), other.code_.begin(), other.code_.end()); }
    size_t size() const { return code_.size(); }
    std::vector<sock_filter> take() { return std::move(code_); }

  private:
    void add(uint32_t code, uint8_t if_true, uint8_t if_false, uint32_t operand) {
        code_.push_back({static_cast<uint16_t>(code), if_true, if_false, operand});
    }

    std::vector<sock_filter> code_;
};

uint32_t word(const void* from) {
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return ntohl(value);
}

void require_mac(Program& program, uint32_t offset, const Mac& mac) {
    program.load(BPF_W, offset);
    program.require(word(mac.data()));
    program.load(BPF_H, offset + 4);
    program.require(uint32_t{mac[4]} << 8 | mac[5]);
}

void pass_addresses(Program& program, uint32_t offset, const Source& source) {
    program.load(BPF_W, offset);
    for (const Address& address : source.addresses)
        if (address.family == AF_INET)
            program.pass_if(word(address.bytes.data()));
}

using Ip6 = std::array<std::byte, 16>;

// Goes on when the 16 bytes are one of the addresses, else drops.
void require_one_of(Program& program, uint32_t offset, const std::vector<Ip6>& addresses) {
    constexpr size_t kWords = 4, kEach = 3 * kWords + 1; // load, compare and skip; and the way out
    for (size_t i = 0; i < addresses.size(); ++i) {
        for (uint32_t at = 0; at < kWords; ++at) {
            program.load(BPF_W, offset + 4 * at);
            const size_t behind = kEach - 3 * at - 3;
            program.go_on_if(word(addresses[i].data() + 4 * at), behind);
        }
        program.skip((addresses.size() - 1 - i) * kEach + 1);
    }
    program.end(Verdict::kDrop);
}

// RFC 4291, appendix A.
Ip6 link_local(const Mac& mac) {
    const std::array<uint8_t, 16> bytes{
        0xfe,   0x80,   0,    0,    0,      0,      0,     0, static_cast<uint8_t>(mac[0] ^ 2),
        mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};
    Ip6 address;
    memcpy(address.data(), bytes.data(), bytes.size());
    return address;
}

// A neighbour tells of itself: its MAC address, if it has any to tell, and in an advertisement its own address.
Program neighbour(uint32_t option, const Mac& mac, const std::vector<Ip6>* targets) {
    Program program;
    if (targets)
        require_one_of(program, kNeighbourTarget, *targets);
    program.load(BPF_H, kIp6Length);
    program.pass_if(kBareNeighbour);
    program.require(kWholeNeighbour);
    program.load(BPF_H, kNeighbourOption);
    program.require(option);
    require_mac(program, kNeighbourOption + 2, mac);
    program.end(Verdict::kPass);
    return program;
}

// What a router says: RFC 4861, 4.2 and 4.5; and its renumbering, RFC 2894.
void drop_router_words(Program& program) {
    for (const uint32_t type : {ND_ROUTER_ADVERT, ND_REDIRECT, ICMP6_ROUTER_RENUMBERING})
        program.drop_if(type);
}

// Nothing about neighbours comes in fragments (RFC 6980), and behind the fragment's no other header.
Program fragment() {
    Program first, icmp, program;
    first.load(BPF_B, kFragmentPayload);
    for (const uint32_t type : {ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT})
        first.drop_if(type);
    drop_router_words(first);
    first.end(Verdict::kPass);
    icmp.load(BPF_H, kFragmentOffset);
    icmp.keep_bits(kFragmentOffsetMask);
    icmp.when(0, first);
    icmp.end(Verdict::kPass);
    program.load(BPF_B, kFragmentNext);
    for (const uint32_t header : kExtensions)
        program.drop_if(header);
    program.drop_if(IPPROTO_FRAGMENT);
    program.when(IPPROTO_ICMPV6, icmp);
    program.end(Verdict::kPass);
    return program;
}

Program ip6_program(const Source& source) {
    std::vector<Ip6> own{link_local(source.mac)};
    for (const Address& address : source.addresses)
        if (address.family == AF_INET6)
            own.push_back(address.bytes);
    Program icmp, program;
    if (own.size() > 1) {
        icmp.load(BPF_B, kIp6Payload);
        drop_router_words(icmp);
        icmp.when(ND_NEIGHBOR_SOLICIT, neighbour(kSourceOption, source.mac, nullptr));
        icmp.when(ND_NEIGHBOR_ADVERT, neighbour(kTargetOption, source.mac, &own));
        icmp.end(Verdict::kPass);
        require_one_of(program, kIp6Source, own);
        program.load(BPF_B, kIp6Next);
        for (const uint32_t header : kExtensions)
            program.drop_if(header);
        program.when(IPPROTO_ICMPV6, icmp);
        program.when(IPPROTO_FRAGMENT, fragment());
        program.end(Verdict::kPass);
    }
    program.end(Verdict::kDrop);
    return program;
}

} // namespace

std::vector<sock_filter> source_program(const Source& source, Passed passed) {
    Program ip, arp, program;
    ip.load(BPF_W, kIpDestination);
    ip.refuse(kLoopbackMask, kLoopback);
    pass_addresses(ip, kIpSource, source);
    ip.end(Verdict::kDrop);
    require_mac(arp, kArpSourceMac, source.mac);
    pass_addresses(arp, kArpSourceIp, source);
    arp.pass_if(kArpProbe);
    arp.end(Verdict::kDrop);
    require_mac(program, kSource, source.mac);
    program.load(BPF_H, kType);
    program.when(ETH_P_IP, ip);
    program.when(ETH_P_ARP, arp);
    program.when(ETH_P_IPV6, ip6_program(source));
    program.end(Verdict::kDrop);
    auto code = program.take();
    if (passed == Passed::kAskNext)
        for (sock_filter& instruction : code)
            if (instruction.code == (BPF_RET | BPF_K) && instruction.k == TC_ACT_OK)
                instruction.k = static_cast<uint32_t>(TC_ACT_UNSPEC);
    return code;
}

Result<void> attach_source_filter(Netlink& netlink, int index, const std::string& name, const Source& source,
                                  Passed passed) {
    HRUN_TRY(add_clsact(netlink, index, "look at what comes in by " + name));
    tcmsg head{};
    head.tcm_ifindex = index;
    head.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    head.tcm_info = TC_H_MAKE(kSourcePreference << 16, htons(ETH_P_ALL));
    const auto program = source_program(source, passed);
    const auto count = static_cast<uint16_t>(program.size());
    Message filter(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, head);
    filter.put(TCA_KIND, std::string("bpf")).begin_nested(TCA_OPTIONS);
    filter.put(TCA_BPF_OPS_LEN, std::as_bytes(std::span(&count, 1)));
    filter.put(TCA_BPF_OPS, std::as_bytes(std::span(program)));
    filter.put_u32(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT).end_nested();
    return netlink.request(filter, "filter what comes in by " + name);
}

} // namespace hrun::net
