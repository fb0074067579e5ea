// SPDX-License-Identifier: Apache-2.0
#include "net/source_filter.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <cstring>

#include "net/rate_limits.h"

namespace hrun::net {

namespace {

// Offsets in an Ethernet frame; RFC 791, RFC 826.
constexpr uint32_t kSource = 6, kType = 12, kIpSource = 26, kIpDestination = 30, kArpSourceMac = 22,
                   kArpSourceIp = 28;
constexpr uint32_t kArpProbe = 0;
constexpr uint32_t kLoopbackMask = 0xff000000, kLoopback = 0x7f000000;

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
    // Drops when the bits of `mask` are those of `value`, else goes on.
    void refuse(uint32_t mask, uint32_t value) {
        add(BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
        end(Verdict::kDrop);
    }
    // Passes over `count` instructions unless equal.
    void skip_unless(uint32_t value, size_t count) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
        add(BPF_JMP | BPF_JA, 0, 0, 1);
        add(BPF_JMP | BPF_JA, 0, 0, static_cast<uint32_t>(count));
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

} // namespace

std::vector<sock_filter> source_program(const Source& source) {
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
    program.skip_unless(ETH_P_IP, ip.size());
    program.append(ip);
    program.skip_unless(ETH_P_ARP, arp.size());
    program.append(arp);
    program.end(Verdict::kDrop);
    return program.take();
}

Result<void> attach_source_filter(Netlink& netlink, int index, const std::string& name,
                                  const Source& source) {
    tcmsg head{};
    head.tcm_ifindex = index;
    head.tcm_parent = TC_H_CLSACT;
    head.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
    Message qdisc(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, head);
    qdisc.put(TCA_KIND, std::string("clsact"));
    HRUN_TRY(netlink.request(qdisc, "look at what comes in by " + name));
    head.tcm_handle = 0;
    head.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    head.tcm_info = TC_H_MAKE(kSourcePreference << 16, htons(ETH_P_ALL));
    const auto program = source_program(source);
    const auto count = static_cast<uint16_t>(program.size());
    Message filter(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, head);
    filter.put(TCA_KIND, std::string("bpf")).begin_nested(TCA_OPTIONS);
    filter.put(TCA_BPF_OPS_LEN, std::as_bytes(std::span(&count, 1)));
    filter.put(TCA_BPF_OPS, std::as_bytes(std::span(program)));
    filter.put_u32(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT).end_nested();
    return netlink.request(filter, "filter what comes in by " + name);
}

} // namespace hrun::net
