// SPDX-License-Identifier: Apache-2.0
#include "net/rate_limits.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "net/rate_program.h"

namespace hrun::net {

namespace {

constexpr uint64_t kLeastBurst = 16 * 1024;  // bytes: more than any frame that a port sends at once
constexpr uint64_t kLeastQueue = 128 * 1024; // bytes: more than what is left to be cut into frames
constexpr uint64_t kBurstsASecond = 50, kQueuesASecond = 10;
constexpr uint32_t kTbfHandle = TC_H_MAKE(1u << 16, 0), kFilterHandle = 1;

tcmsg head_of(int index, uint32_t parent, uint32_t handle, uint32_t info = 0) {
    tcmsg head{};
    head.tcm_ifindex = index;
    head.tcm_parent = parent;
    head.tcm_handle = handle;
    head.tcm_info = info;
    return head;
}

uint32_t at_most_32_bits(uint64_t value) {
    return static_cast<uint32_t>(std::min<uint64_t>(value, UINT32_MAX));
}

// The kernel's answers for what is not there to be removed.
Result<void> unless_absent(Result<void> done) {
    return !done && (done.error().code == ENOENT || done.error().code == EINVAL) ? Result<void>() : done;
}

// sch_tbf: TCA_TBF_BURST says in bytes what the fields of tc_tbf_qopt say in ticks.
Result<void> limit_in(Netlink& netlink, int index, const std::string& name, uint64_t rate) {
    tc_tbf_qopt options{};
    options.rate.linklayer = TC_LINKLAYER_ETHERNET;
    options.rate.rate = at_most_32_bits(rate);
    options.limit = at_most_32_bits(std::max(kLeastQueue, rate / kQueuesASecond));
    Message message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK,
                    head_of(index, TC_H_ROOT, kTbfHandle));
    message.put(TCA_KIND, std::string("tbf")).begin_nested(TCA_OPTIONS);
    message.put(TCA_TBF_PARMS, std::as_bytes(std::span(&options, 1)));
    if (rate > UINT32_MAX)
        message.put(TCA_TBF_RATE64, std::as_bytes(std::span(&rate, 1)));
    message.put_u32(TCA_TBF_BURST, at_most_32_bits(std::max(kLeastBurst, rate / kBurstsASecond)));
    message.end_nested();
    return netlink.request(message, "limit what goes to " + name);
}

Result<void> unlimit_in(Netlink& netlink, int index, const std::string& name) {
    Message message(RTM_DELQDISC, NLM_F_ACK, head_of(index, TC_H_ROOT, kTbfHandle));
    return unless_absent(netlink.request(message, "no longer limit what goes to " + name));
}

tcmsg filter_head(int index, uint32_t handle) {
    return head_of(index, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), handle,
                   TC_H_MAKE(kRatePreference << 16, htons(ETH_P_ALL)));
}

Result<void> limit_out(Netlink& netlink, int index, const std::string& name, uint64_t rate) {
    auto program = load_rate_program(rate);
    if (!program)
        return program.error();
    Message message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_ACK, filter_head(index, kFilterHandle));
    message.put(TCA_KIND, std::string("bpf")).begin_nested(TCA_OPTIONS);
    message.put_u32(TCA_BPF_FD, static_cast<uint32_t>(program->get())).put(TCA_BPF_NAME, std::string("rate"));
    message.put_u32(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT).end_nested();
    return netlink.request(message, "limit what comes in by " + name);
}

Result<void> unlimit_out(Netlink& netlink, int index, const std::string& name) {
    Message message(RTM_DELTFILTER, NLM_F_ACK, filter_head(index, 0));
    return unless_absent(netlink.request(message, "no longer limit what comes in by " + name));
}

} // namespace

Result<void> limit_rates(Netlink& netlink, int index, const std::string& name, const Rates& rates) {
    HRUN_TRY(rates.in ? limit_in(netlink, index, name, rates.in) : unlimit_in(netlink, index, name));
    return rates.out ? limit_out(netlink, index, name, rates.out) : unlimit_out(netlink, index, name);
}

} // namespace hrun::net
