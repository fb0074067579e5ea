// SPDX-License-Identifier: Apache-2.0
#include "monitor/state_file.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "monitor/temporary_directory.h"

namespace hrun::monitor {
namespace {

TEST_CASE("the state is what docs/monitor.md says, error only where there is one") {
    State state{"running", 10, 11, "2024-05-01T12:00:00Z"};
    auto json = nlohmann::json::parse(to_json(state));
    CHECK(json["version"] == 1);
    CHECK(json["status"] == "running");
    CHECK(json["monitorPid"] == 10);
    CHECK(json["vmmPid"] == 11);
    CHECK(json["finishedAt"] == "");
    CHECK_FALSE(json.contains("error"));
    state.error = State::Failure{8, "it died"};
    json = nlohmann::json::parse(to_json(state));
    CHECK(json["error"]["kind"] == 8);
    CHECK(json["error"]["message"] == "it died");
}

TEST_CASE("a message of the guest's that is not UTF-8 makes no invalid file") {
    State state{"exited"};
    state.error = State::Failure{8, "bad \xff byte and \"quotes\"\n"};
    const auto json = nlohmann::json::parse(to_json(state), nullptr, false);
    REQUIRE_FALSE(json.is_discarded());
    CHECK(json["error"]["message"] == "bad \xef\xbf\xbd byte and \"quotes\"\n");
}

TEST_CASE("a state that was written is read again, and nonsense is none") {
    hrun::test::TemporaryDirectory directory;
    State state{"restarting", 10, 0, "2024-05-01T12:00:00Z", "2024-05-01T12:00:01Z", 137, 9};
    state.restart_count = 4;
    state.stopped = true;
    state.error = State::Failure{8, "it died"};
    REQUIRE(write_state(directory.fd.get(), state));
    auto read = read_state(directory.fd.get());
    REQUIRE(read);
    CHECK(to_json(*read) == to_json(state));
    std::ofstream(directory.path + "/state.json") << R"({"status": 5, "exitCode": "x", "error": []})";
    CHECK(read_state(directory.fd.get())->status == "");
    std::ofstream(directory.path + "/state.json") << "{";
    CHECK(read_state(directory.fd.get()).error().code == EBADMSG);
}

TEST_CASE("writing replaces the file and leaves nothing else") {
    hrun::test::TemporaryDirectory directory;
    REQUIRE(reserve_last_state(directory.fd.get()));
    REQUIRE(write_state(directory.fd.get(), {"starting"}));
    REQUIRE(write_state(directory.fd.get(), {"exited"}));
    CHECK(nlohmann::json::parse(directory.read("state.json"))["status"] == "exited");
    CHECK_FALSE(directory.has("state.json.new"));
    CHECK_FALSE(directory.has("state.json.last"));
}

} // namespace
} // namespace hrun::monitor
