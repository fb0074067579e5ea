// SPDX-License-Identifier: Apache-2.0
#include "names/resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace hrun::names {

namespace {

constexpr uint16_t kPort = 53;
constexpr int kBacklog = 64;
constexpr size_t kMostClients = 64;
constexpr long kMostOfOne = 8;

Result<Fd> listen_on(const std::string& address, int type) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(kPort);
    const std::string what = "listen on " + address + ":53";
    if (inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1)
        return Error{EINVAL, what};
    Fd socket(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int yes = 1;
    if (!socket.valid() || setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(socket.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) < 0 ||
        (type == SOCK_STREAM && listen(socket.get(), kBacklog) < 0))
        return Error::last(what);
    return socket;
}

Answer address_answer(const Ip& ip) {
    const auto value = ip.value();
    return {ip.family == AF_INET ? RecordType::kA : RecordType::kAaaa,
            std::string(reinterpret_cast<const char*>(value.data()), value.size())};
}

bool has_address(const Station& station, const std::optional<Ip>& ip) {
    return ip &&
           std::find(station.addresses.begin(), station.addresses.end(), *ip) != station.addresses.end();
}

Ip ip4(uint32_t address) {
    return *ip_of(std::as_bytes(std::span(&address, 1)));
}

std::vector<Answer> pointer_to(const Station& station, const std::string& network) {
    if (station.names.empty())
        return {};
    return {{RecordType::kPtr, encode_name(station.names.front() + "." + network)}};
}

} // namespace

std::optional<std::vector<Answer>> look_up(const std::vector<Station>& stations, const std::string& network,
                                           const Question& question) {
    const auto wants = [&question](RecordType type) {
        return question.type == static_cast<uint16_t>(type) ||
               question.type == static_cast<uint16_t>(RecordType::kAny);
    };
    const auto reverse = reverse_address(question.name);
    std::string name = question.name;
    if (name.ends_with("." + network))
        name.resize(name.size() - network.size() - 1);
    std::optional<std::vector<Answer>> answers;
    for (const Station& station : stations) {
        if (has_address(station, reverse))
            return wants(RecordType::kPtr) ? pointer_to(station, network) : std::vector<Answer>();
        if (std::find(station.names.begin(), station.names.end(), name) == station.names.end())
            continue;
        if (!answers)
            answers.emplace();
        for (const Ip& address : station.addresses)
            if (Answer answer = address_answer(address); wants(answer.type))
                answers->push_back(std::move(answer));
    }
    return answers;
}

Result<std::unique_ptr<Resolver>> Resolver::create(EventLoop& loop, const std::string& address,
                                                   std::string network, Permit permit) {
    auto datagrams = listen_on(address, SOCK_DGRAM);
    auto listener = listen_on(address, SOCK_STREAM);
    for (const auto* socket : {&datagrams, &listener})
        if (!*socket)
            return socket->error();
    std::unique_ptr<Resolver> resolver(new Resolver(loop, std::move(network), std::move(permit)));
    resolver->datagrams_ = std::move(*datagrams);
    resolver->listener_ = std::move(*listener);
    return resolver;
}

Result<void> Resolver::start() {
    auto datagrams = loop_.watch(datagrams_.get(), EPOLLIN, [this](uint32_t) { take_datagram(); });
    if (!datagrams)
        return datagrams.error();
    auto listener = loop_.watch(listener_.get(), EPOLLIN, [this](uint32_t) { take_client(); });
    if (!listener)
        return listener.error();
    datagram_watch_ = std::move(*datagrams);
    listener_watch_ = std::move(*listener);
    return {};
}

void Resolver::take_datagram() {
    char bytes[4096];
    sockaddr_in asker{};
    socklen_t size = sizeof asker;
    const ssize_t count =
        recvfrom(datagrams_.get(), bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&asker), &size);
    if (count <= 0 || size != sizeof asker)
        return;
    answer(asker.sin_addr.s_addr, std::string(bytes, static_cast<size_t>(count)), Transport::kUdp,
           [this, asker](const std::string& response) {
               sendto(datagrams_.get(), response.data(), response.size(), 0,
                      reinterpret_cast<const sockaddr*>(&asker), sizeof asker);
           });
}

void Resolver::take_client() {
    sockaddr_in asker{};
    socklen_t size = sizeof asker;
    Fd socket(
        accept4(listener_.get(), reinterpret_cast<sockaddr*>(&asker), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    const uint32_t address = asker.sin_addr.s_addr;
    const auto own = std::count_if(clients_.begin(), clients_.end(), [address](const auto& entry) {
        return entry.second->address() == address;
    });
    if (!socket.valid() || clients_.size() >= kMostClients || own >= kMostOfOne)
        return;
    const uint64_t number = ++last_client_;
    const auto ask = [this, number, address](std::string query) {
        answer(address, std::move(query), Transport::kTcp, [this, number](const std::string& response) {
            if (const auto client = clients_.find(number); client != clients_.end())
                client->second->reply(response);
        });
    };
    clients_[number] = std::make_unique<StreamClient>(loop_, std::move(socket), address, ask,
                                                      [this, number] { clients_.erase(number); });
}

// Whoever is no machine of the network gets no word: there is nothing here to be had for others, nor to flood others with.
void Resolver::answer(uint32_t asker, std::string query, Transport transport, const Reply& reply) {
    const auto question = parse_query(query);
    if (!question)
        return;
    const std::vector<Station> stations = read_stations(network_);
    const auto station = std::find_if(stations.begin(), stations.end(),
                                      [asker](const Station& each) { return has_address(each, ip4(asker)); });
    if (station == stations.end())
        return;
    if (const auto answers = answers_for(*station, stations, *question))
        return reply(make_response(query, *question, ResponseCode::kNone, *answers));
    const auto policy = read_egress_policy(station->id);
    if (policy && !policy->allows(question->name))
        return reply(make_response(query, *question, ResponseCode::kRefused, {}));
    const Reply relay = policy ? permitting(station->id, query, *question, reply) : reply;
    forwarder_.ask(asker, std::move(query),
                   station->servers.empty() ? read_servers(network_) : station->servers, transport, relay);
}

// The way is open before the machine knows where it leads.
Resolver::Reply Resolver::permitting(const std::string& id, const std::string& query,
                                     const Question& question, const Reply& reply) const {
    return [this, id, query, question, reply](const std::string& response) {
        const auto addresses = addresses_in(response);
        const bool open = addresses.empty() || permit_(id, addresses);
        reply(open ? response : make_response(query, question, ResponseCode::kServerFailure, {}));
    };
}

// This network's come first.
std::optional<std::vector<Answer>> Resolver::answers_for(const Station& asker,
                                                         const std::vector<Station>& stations,
                                                         const Question& question) const {
    auto answers = look_up(stations, network_, question);
    if (answers)
        return answers;
    for (const std::string& network : networks_of(asker.id))
        if (network != network_ && (answers = look_up(read_stations(network), network, question)))
            break;
    return answers;
}

} // namespace hrun::names
