// SPDX-License-Identifier: Apache-2.0
#include "qemu/qmp.h"

#include <sys/socket.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/passed_descriptors.h"

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
    HRUN_TRY(send_command(R"({"execute":"qmp_capabilities"})"));
    return resume(loop);
}

Result<void> Qmp::resume(EventLoop& loop) {
    auto watch = loop.watch(socket_.get(), EPOLLIN, [this](uint32_t) { receive(); });
    if (!watch)
        return watch.error();
    watch_ = std::move(*watch);
    return {};
}

// A descriptor goes along with its command, unless it is -1.
Result<void> Qmp::send_command(const std::string& command, int fd) {
    std::string line = command + "\n";
    const iovec bytes{line.data(), line.size()};
    const Result<void> sent = send_passing(socket_.get(), {&bytes, 1}, {&fd, fd < 0 ? 0u : 1u}, MSG_DONTWAIT);
    return sent ? sent : Error{sent.error().code, "write to QMP"};
}

// x-ignore-shared: the memory is a file that stays what it is.
Result<void> Qmp::migrate(const char* command, int state) {
    HRUN_TRY(send_command(
        R"({"execute":"migrate-set-capabilities","arguments":{"capabilities":[)"
        R"({"capability":"x-ignore-shared","state":true},{"capability":"events","state":true}]}})"));
    HRUN_TRY(send_command(R"({"execute":"getfd","arguments":{"fdname":"state"}})", state));
    return send_command(std::string(R"({"execute":")") + command + R"(","arguments":{"uri":"fd:state"}})");
}

Result<void> Qmp::carry_out(const std::vector<std::string>& commands) {
    for (const std::string& command : commands)
        HRUN_TRY(send_command(command));
    return {};
}

Result<void> Qmp::ask(const std::vector<std::string>& commands, Done done, std::span<const int> fds) {
    const std::string id = "{\"id\":" + std::to_string(++last_question_) + ",";
    questions_[last_question_] = {commands.size(), std::move(done), {}};
    for (size_t i = 0; i < commands.size(); ++i)
        HRUN_TRY(send_command(id + commands[i].substr(1), i < fds.size() ? fds[i] : -1));
    return {};
}

// True when it is one of ask().
bool Qmp::take_answer(uint64_t number, const std::string& refusal) {
    const auto found = questions_.find(number);
    if (found == questions_.end())
        return false;
    Question& question = found->second;
    if (question.refusal.empty())
        question.refusal = refusal;
    if (--question.unanswered > 0)
        return true;
    const Question answered = std::move(question);
    questions_.erase(found);
    answered.done(answered.refusal.empty() ? Result<void>() : Error{EIO, "QEMU says: " + answered.refusal});
    return true;
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
    const Json error = message.value("error", Json());
    const auto id = message.find("id");
    if (id != message.end() && id->is_number_unsigned() &&
        take_answer(id->get<uint64_t>(), error.is_object() ? text_at(error, "desc") : ""))
        return;
    if (error.is_object())
        return handler_({Event::Kind::kRefused, text_at(error, "desc")});
    const std::string event = text_at(message, "event");
    const Json data = message.value("data", Json::object());
    if (!data.is_object())
        return;
    if (event == "BLOCK_IO_ERROR")
        handler_({Event::Kind::kDiskError, text_at(data, "node-name"), flag_at(data, "nospace")});
    else if (event == "SHUTDOWN")
        handler_({Event::Kind::kShutdown, text_at(data, "reason")});
    else if (event == "MIGRATION" && text_at(data, "status") == "completed")
        handler_({Event::Kind::kCompleted, {}});
    else if (event == "MIGRATION" && text_at(data, "status") == "failed")
        handler_({Event::Kind::kRefused, "the machine's state cannot be saved or restored"});
}

} // namespace hrun::qemu
