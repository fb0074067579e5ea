// SPDX-License-Identifier: Apache-2.0
#include "qemu/qmp.h"

#include <sys/socket.h>

#include <nlohmann/json.hpp>
#include <string_view>

namespace hrun::qemu {

using Json = nlohmann::json;

namespace {

std::string text_at(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool flag_at(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

} // namespace

Result<void> Qmp::start(EventLoop& loop) {
    // The greeting need not be awaited: the command lies in the socket until QEMU reads it.
    constexpr std::string_view kEnter = "{\"execute\":\"qmp_capabilities\"}\n";
    if (send(socket_.get(), kEnter.data(), kEnter.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return Error::last("write to QMP");
    auto watch = loop.watch(socket_.get(), EPOLLIN, [this](uint32_t) { receive(); });
    if (!watch)
        return watch.error();
    watch_ = std::move(*watch);
    return {};
}

void Qmp::receive() {
    char bytes[4096];
    ssize_t count;
    while ((count = recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        for (const char byte : std::string_view(bytes, static_cast<size_t>(count))) {
            if (byte == '\n')
                handle_line(std::exchange(line_, {}));
            else if (line_.size() < kMaxLine)
                line_ += byte;
        }
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR))
        watch_.reset();
}

void Qmp::handle_line(const std::string& line) {
    const Json message = Json::parse(line, nullptr, false);
    if (!message.is_object())
        return;
    const std::string event = text_at(message, "event");
    const Json data = message.value("data", Json::object());
    if (!data.is_object())
        return;
    if (event == "BLOCK_IO_ERROR")
        handler_({Event::Kind::kDiskError, text_at(data, "node-name"), flag_at(data, "nospace")});
    else if (event == "SHUTDOWN")
        handler_({Event::Kind::kShutdown, text_at(data, "reason")});
}

} // namespace hrun::qemu
