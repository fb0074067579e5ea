// SPDX-License-Identifier: Apache-2.0
#include "monitor/event_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/fd.h"
#include "monitor/settings.h"

namespace hrun::monitor {

namespace {

// src/container/event-journal.ts has the same names and limit.
constexpr char kJournal[] = "/events.log";
constexpr char kOlder[] = "/events.log.1";
constexpr char kLock[] = "/events.lock";
constexpr off_t kMaxBytes = 1 << 20;
constexpr size_t kMaxConfig = 1 << 20;
constexpr uint64_t kNanoseconds = 1000000000;

constexpr int kAppend = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

// <store> of <store>/containers/<id>.
std::string store_of(const std::string& directory) {
    const size_t id = directory.rfind('/');
    const std::string containers = directory.substr(0, id == directory.npos ? 0 : id);
    return containers.ends_with("/containers") ? containers.substr(0, containers.rfind('/')) : "";
}

// What is no container's configuration is an empty object.
nlohmann::json read_config_json(const std::string& directory) {
    const Fd container(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    auto text = read_setting(container.get(), "config.json", kMaxConfig);
    nlohmann::json json;
    if (text)
        json = nlohmann::json::parse(*text, nullptr, false);
    return json.is_object() ? json : nlohmann::json::object();
}

std::string text_of(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// One of two who find the journal full renames it; who has it open then writes to the older one, where it is read too.
void rotate(const std::string& store, const struct stat& full) {
    const Fd lock(open((store + kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    struct stat named;
    if (lock.valid() && flock(lock.get(), LOCK_EX | LOCK_NB) == 0 &&
        stat((store + kJournal).c_str(), &named) == 0 && named.st_ino == full.st_ino)
        rename((store + kJournal).c_str(), (store + kOlder).c_str());
}

} // namespace

EventJournal::EventJournal(const std::string& directory, std::string id)
    : store_(store_of(directory)), id_(std::move(id)) {
    if (store_.empty())
        return;
    const nlohmann::json config = read_config_json(directory);
    if (const auto labels = config.find("labels"); labels != config.end() && labels->is_object())
        for (const auto& [key, value] : labels->items())
            if (value.is_string())
                attributes_[key] = value.get<std::string>();
    image_ = text_of(config, "image");
    attributes_["image"] = image_;
    attributes_["name"] = text_of(config, "name");
}

void EventJournal::write(const std::string& action,
                         const std::map<std::string, std::string>& attributes) const {
    if (store_.empty())
        return;
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    auto all = attributes_;
    for (const auto& [key, value] : attributes)
        all[key] = value;
    const auto seconds = static_cast<uint64_t>(now.tv_sec);
    const nlohmann::ordered_json event{
        {"status", action},
        {"id", id_},
        {"from", image_},
        {"Type", "container"},
        {"Action", action},
        {"Actor", {{"ID", id_}, {"Attributes", all}}},
        {"scope", "local"},
        {"time", seconds},
        {"timeNano", seconds * kNanoseconds + static_cast<uint64_t>(now.tv_nsec)}};
    append("\n" + event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

// One write(2) at the end of the file is one piece there. The line feed before it parts it from a line that a full disk has cut.
void EventJournal::append(const std::string& line) const {
    for (int attempt = 0; attempt < 2; ++attempt) {
        const Fd file(open((store_ + kJournal).c_str(), kAppend, 0600));
        struct stat st;
        if (!file.valid() || fstat(file.get(), &st) < 0 || !S_ISREG(st.st_mode))
            return;
        if (st.st_size >= kMaxBytes && attempt == 0) {
            rotate(store_, st);
            continue;
        }
        [[maybe_unused]] const ssize_t written = ::write(file.get(), line.data(), line.size());
        return;
    }
}

} // namespace hrun::monitor
