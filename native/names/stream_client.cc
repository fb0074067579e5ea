// SPDX-License-Identifier: Apache-2.0
#include "names/stream_client.h"

#include <sys/socket.h>

#include "names/dns_message.h"

namespace hrun::names {

namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 10s;
constexpr size_t kLength = 2; // before each message: RFC 1035, 4.2.2
constexpr size_t kMostQuery = 4096;

} // namespace

StreamClient::StreamClient(EventLoop& loop, Fd socket, uint32_t address, Ask ask, Gone gone)
    : loop_(loop), socket_(std::move(socket)), address_(address), ask_(std::move(ask)),
      gone_(std::move(gone)) {
    limit_ = loop_.after(kLimit, [this] { leave(); });
    if (auto watch = loop_.watch(socket_.get(), EPOLLIN, [this](uint32_t) { receive(); }))
        watch_ = std::move(*watch);
}

void StreamClient::receive() {
    char bytes[kMostQuery];
    const ssize_t size = recv(socket_.get(), bytes, sizeof bytes, 0);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0 || received_.size() + static_cast<size_t>(size) > kLength + kMostQuery)
        return leave();
    received_.append(bytes, static_cast<size_t>(size));
    take_question();
}

void StreamClient::take_question() {
    if (asking_ || received_.size() < kLength || received_.size() - kLength < id_of(received_))
        return;
    const size_t length = id_of(received_);
    std::string query = received_.substr(kLength, length);
    received_.erase(0, kLength + length);
    asking_ = true;
    ask_(std::move(query));
}

// What does not fit into the socket's buffer at once was asked by somebody who does not read.
void StreamClient::reply(const std::string& response) {
    std::string bytes(kLength, '\0');
    set_id(bytes, static_cast<uint16_t>(response.size()));
    bytes += response;
    if (send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
        limit_ = loop_.after({}, [this] { leave(); });
    else
        limit_ = loop_.after(kLimit, [this] { leave(); });
    asking_ = false;
    take_question();
}

void StreamClient::leave() {
    watch_.reset();
    limit_.reset();
    const Gone gone = std::move(gone_);
    gone(); // nothing of this object after it
}

} // namespace hrun::names
