// SPDX-License-Identifier: Apache-2.0
#include "monitor/event_journal.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "temporary_directory.h"

namespace hrun::monitor {
namespace {

using Json = nlohmann::json;
using test::TemporaryDirectory;

struct Store {
    Store() { std::filesystem::create_directories(settings()); }
    std::string container() const { return directory.path + "/containers/abc"; }
    std::string settings() const { return container() + "/settings"; }
    std::string journal() const { return directory.path + "/events.log"; }
    void config(const std::string& text) const { std::ofstream(settings() + "/config.json") << text; }
    Json last() const {
        std::string last;
        std::ifstream file(journal());
        for (std::string line; std::getline(file, line);)
            if (!line.empty())
                last = line;
        return Json::parse(last);
    }
    TemporaryDirectory directory;
};

TEST_CASE(
    "an event of a container has its name, image and labels, and is a line of its own after a cut one") {
    const Store store;
    store.config(R"({"name": "box", "image": "busybox", "labels": {"tier": "\"front\"", "n": 1}})");
    std::ofstream(store.journal()) << "{\"Type\":\"cut";
    EventJournal(store.container(), "abc").write("die", {{"exitCode", "3"}});
    const Json event = store.last();
    CHECK(event["Type"] == "container");
    CHECK(event["Action"] == "die");
    CHECK(event["id"] == "abc");
    CHECK(event["from"] == "busybox");
    CHECK(event["Actor"] ==
          Json{{"ID", "abc"},
               {"Attributes",
                {{"name", "box"}, {"image", "busybox"}, {"tier", "\"front\""}, {"exitCode", "3"}}}});
    CHECK(event["timeNano"].get<uint64_t>() / 1000000000 == event["time"].get<uint64_t>());
}

TEST_CASE("a configuration that is none, a fifo or a link leaves an event without a name") {
    const Store store;
    const std::string path = store.settings() + "/config.json";
    SUBCASE("text") {
        store.config("no JSON");
    }
    SUBCASE("list") {
        store.config("[1]");
    }
    SUBCASE("fifo") {
        REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    }
    SUBCASE("link") {
        std::filesystem::create_symlink("/etc/passwd", path);
    }
    EventJournal(store.container(), "abc").write("start");
    CHECK(store.last()["Actor"]["Attributes"]["name"] == "");
}

TEST_CASE("a full journal becomes the older one") {
    const Store store;
    store.config("{}");
    std::ofstream(store.journal()) << std::string(1 << 20, 'x');
    EventJournal(store.container(), "abc").write("start");
    CHECK(std::filesystem::file_size(store.journal() + ".1") == 1 << 20);
    CHECK(store.last()["Action"] == "start");
}

TEST_CASE("a journal that is a link is not followed, and a directory that is no store's has none") {
    const Store store;
    store.config("{}");
    std::filesystem::create_symlink(store.directory.path + "/elsewhere", store.journal());
    EventJournal(store.container(), "abc").write("start");
    CHECK_FALSE(std::filesystem::exists(store.directory.path + "/elsewhere"));
    EventJournal(store.directory.path, "abc").write("start");
    CHECK(std::filesystem::directory_iterator(store.container())->path().filename() == "settings");
}

} // namespace
} // namespace hrun::monitor
