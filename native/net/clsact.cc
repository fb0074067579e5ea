// SPDX-License-Identifier: Apache-2.0
#include "net/clsact.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

namespace hrun::net {

Result<void> add_clsact(Netlink& netlink, int index, const std::string& what) {
    tcmsg head{};
    head.tcm_ifindex = index;
    head.tcm_parent = TC_H_CLSACT;
    head.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
    Message qdisc(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, head);
    qdisc.put(TCA_KIND, std::string("clsact"));
    return netlink.request(qdisc, what);
}

} // namespace hrun::net
