// SPDX-License-Identifier: Apache-2.0
#include "net/redirect.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>

#include "net/clsact.h"
#include "net/rate_limits.h"

namespace hrun::net {

namespace {

constexpr uint32_t kHandle = 1;
constexpr uint16_t kFirstAction = 1;

// Of the classic packet filter, whose classifier is there for the source filter's sake: every packet, whatever it is, has the filter's class.
constexpr sock_filter kEvery{BPF_RET | BPF_K, 0, 0, 0xffffffff};

// The source filter may have made one.
Result<void> ensure_clsact(Netlink& netlink, int index, const std::string& what) {
    auto done = add_clsact(netlink, index, what);
    return !done && done.error().code == EEXIST ? Result<void>() : done;
}

} // namespace

Result<void> redirect(Netlink& netlink, int index, const std::string& name, int to) {
    const std::string what = "redirect what comes in by " + name;
    HRUN_TRY(ensure_clsact(netlink, index, what));
    tcmsg head{};
    head.tcm_ifindex = index;
    head.tcm_handle = kHandle;
    head.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    head.tcm_info = TC_H_MAKE(kRedirectPreference << 16, htons(ETH_P_ALL));
    tc_mirred target{};
    target.action = TC_ACT_STOLEN;
    target.eaction = TCA_EGRESS_REDIR;
    target.ifindex = static_cast<uint32_t>(to);
    const uint16_t count = 1;
    Message filter(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_ACK, head);
    filter.put(TCA_KIND, std::string("bpf")).begin_nested(TCA_OPTIONS);
    filter.put(TCA_BPF_OPS_LEN, std::as_bytes(std::span(&count, 1)));
    filter.put(TCA_BPF_OPS, std::as_bytes(std::span(&kEvery, 1)));
    filter.begin_nested(TCA_BPF_ACT).begin_nested(kFirstAction);
    filter.put(TCA_ACT_KIND, std::string("mirred")).begin_nested(TCA_ACT_OPTIONS);
    filter.put(TCA_MIRRED_PARMS, std::as_bytes(std::span(&target, 1)));
    filter.end_nested().end_nested().end_nested().end_nested();
    return netlink.request(filter, what);
}

} // namespace hrun::net
