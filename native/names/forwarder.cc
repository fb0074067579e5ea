// SPDX-License-Identifier: Apache-2.0
#include "names/forwarder.h"

#include <algorithm>

#include "names/dns_message.h"

namespace hrun::names {

namespace {

constexpr size_t kMostPending = 400; // of the 1024 descriptors of a process
constexpr long kMostOfOne = 64;
constexpr size_t kMostServers = 3; // resolv.conf(5)

} // namespace

void Forwarder::ask(uint32_t asker, std::string query, std::vector<std::string> servers, Transport transport,
                    Reply reply) {
    const auto own = std::count_if(pending_.begin(), pending_.end(),
                                   [asker](const auto& entry) { return entry.second.asker == asker; });
    if (pending_.size() >= kMostPending || own >= kMostOfOne)
        return;
    servers.resize(std::min(servers.size(), kMostServers));
    pending_[++last_] = {asker, std::move(query), std::move(servers), transport, std::move(reply), nullptr};
    next(last_);
}

void Forwarder::next(uint64_t number) {
    Pending& pending = pending_[number];
    if (pending.servers.empty()) {
        const auto question = parse_query(pending.query);
        const Reply reply = std::move(pending.reply);
        const std::string query = std::move(pending.query);
        pending_.erase(number);
        return reply(make_response(query, *question, ResponseCode::kServerFailure, {}));
    }
    const std::string server = pending.servers.front();
    pending.servers.erase(pending.servers.begin());
    pending.exchange = std::make_unique<Exchange>(
        loop_, server, pending.transport, pending.query,
        [this, number](std::optional<std::string> response) { answered(number, std::move(response)); });
}

void Forwarder::answered(uint64_t number, std::optional<std::string> response) {
    if (!response)
        return next(number);
    const Reply reply = std::move(pending_[number].reply);
    pending_.erase(number);
    reply(std::move(*response));
}

} // namespace hrun::names
