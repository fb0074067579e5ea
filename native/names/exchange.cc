// SPDX-License-Identifier: Apache-2.0
#include "names/exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <cstring>

#include "names/dns_message.h"

namespace hrun::names {

namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 3s;
constexpr uint16_t kPort = 53;
constexpr size_t kLength = 2; // before each message on a stream: RFC 1035, 4.2.2

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

std::optional<Address> address_of(const std::string& server) {
    Address address;
    auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
    auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (inet_pton(AF_INET, server.c_str(), &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(kPort);
        address.size = sizeof *four;
        return address;
    }
    address = Address();
    if (inet_pton(AF_INET6, server.c_str(), &six->sin6_addr) != 1)
        return std::nullopt;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(kPort);
    address.size = sizeof *six;
    return address;
}

uint16_t random_id() {
    uint16_t id = 0;
    [[maybe_unused]] const ssize_t size = getrandom(&id, sizeof id, 0);
    return id;
}

std::string with_length(const std::string& message) {
    const uint16_t length = htons(static_cast<uint16_t>(message.size()));
    std::string bytes(kLength, '\0');
    memcpy(bytes.data(), &length, kLength);
    return bytes + message;
}

} // namespace

Exchange::Exchange(EventLoop& loop, const std::string& server, Transport transport, std::string query,
                   Done done)
    : loop_(loop), transport_(transport), id_(id_of(query)), query_(std::move(query)),
      done_(std::move(done)) {
    set_id(query_, random_id());
    unsent_ = transport_ == Transport::kTcp ? with_length(query_) : query_;
    limit_ = loop_.after(open(server) ? EventLoop::Clock::duration(kLimit) : EventLoop::Clock::duration(),
                         [this] { finish(std::nullopt); });
}

bool Exchange::open(const std::string& server) {
    const auto address = address_of(server);
    if (!address)
        return false;
    const int type = transport_ == Transport::kTcp ? SOCK_STREAM : SOCK_DGRAM;
    socket_.reset(socket(address->storage.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_.valid() ||
        (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address->storage), address->size) < 0 &&
         errno != EINPROGRESS))
        return false;
    auto watch = loop_.watch(socket_.get(), EPOLLIN | EPOLLOUT, [this](uint32_t events) { ready(events); });
    if (!watch)
        return false;
    watch_ = std::move(*watch);
    return true;
}

void Exchange::ready(uint32_t events) {
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        return receive();
    if (events & EPOLLOUT)
        send();
}

void Exchange::send() {
    const ssize_t sent = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return finish(std::nullopt);
    unsent_.erase(0, sent > 0 ? static_cast<size_t>(sent) : 0);
    if (unsent_.empty())
        watch_.modify(EPOLLIN);
}

// A datagram that is no answer to this question is passed over: somebody guesses.
void Exchange::receive() {
    std::string bytes(kMostBytes, '\0');
    const ssize_t size = recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size < 0 || (size == 0 && transport_ == Transport::kTcp))
        return finish(std::nullopt);
    bytes.resize(static_cast<size_t>(size));
    if (transport_ == Transport::kUdp)
        received_ = std::move(bytes);
    else
        received_ += bytes;
    if (!is_complete())
        return;
    std::string response = received_.substr(transport_ == Transport::kTcp ? kLength : 0);
    if (answers_question(response, query_)) {
        set_id(response, id_);
        return finish(std::move(response));
    }
    if (transport_ == Transport::kTcp)
        finish(std::nullopt);
}

bool Exchange::is_complete() const {
    if (transport_ == Transport::kUdp)
        return true;
    return received_.size() >= kLength && received_.size() - kLength >= id_of(received_);
}

void Exchange::finish(std::optional<std::string> response) {
    watch_.reset();
    limit_.reset();
    const Done done = std::move(done_);
    done(std::move(response)); // nothing of this object after it
}

} // namespace hrun::names
