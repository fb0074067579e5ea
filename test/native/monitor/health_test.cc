// SPDX-License-Identifier: Apache-2.0
#include "monitor/health.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "monitor/temporary_directory.h"

namespace hrun::monitor {
namespace {

using namespace std::chrono_literals;
using Status = Health::Status;

ProbeResult ended(int exit_code, std::string output = "") {
    return {"2024-05-01T12:00:00Z", "2024-05-01T12:00:01Z", exit_code, std::move(output)};
}

TEST_CASE("as many failures in a row as the policy says make it unhealthy, one success makes it healthy") {
    const HealthPolicy policy{1s, 1s, 0s, 1s, 3};
    Health health(policy);
    CHECK(health.status() == Status::kStarting);
    CHECK_FALSE(health.take(ended(1), 1s));
    CHECK_FALSE(health.take(ended(-1), 2s));
    CHECK(health.status() == Status::kStarting);
    CHECK(health.take(ended(137), 3s));
    CHECK(health.status() == Status::kUnhealthy);
    CHECK_FALSE(health.take(ended(1), 4s));
    CHECK(health.failing_streak() == 4);
    CHECK(health.take(ended(0), 5s));
    CHECK(health.status() == Status::kHealthy);
    CHECK(health.failing_streak() == 0);
    CHECK_FALSE(health.take(ended(1), 6s));
    CHECK(health.status() == Status::kHealthy);
}

TEST_CASE("failures within the start period do not count until it was healthy once") {
    const HealthPolicy policy{1s, 1s, 10s, 1s, 1};
    Health health(policy);
    CHECK_FALSE(health.take(ended(1), 9s));
    CHECK(health.failing_streak() == 0);
    CHECK(health.take(ended(0), 9s));
    CHECK(health.take(ended(1), 9s));
    CHECK(health.status() == Status::kUnhealthy);

    Health late(policy);
    CHECK(late.take(ended(1), 10s));
}

TEST_CASE("the start interval holds while it is starting within the start period") {
    const HealthPolicy policy{30s, 1s, 10s, 5s, 1};
    CHECK(policy.wait(true, 9s) == 5s);
    CHECK(policy.wait(true, 10s) == 30s);
    CHECK(policy.wait(false, 1s) == 30s);
    CHECK(HealthPolicy{30s, 1s, 0s, 5s, 1}.wait(true, 0s) == 30s);
}

TEST_CASE("the last five results are kept, and what a guest says makes no invalid file") {
    const HealthPolicy policy{1s, 1s, 0s, 1s, 3};
    Health health(policy);
    for (int i = 0; i < 7; ++i)
        health.take(ended(i, "bad \xff byte"), 1s);
    hrun::test::TemporaryDirectory directory;
    REQUIRE(write_health(directory.fd.get(), health));
    const auto json = nlohmann::json::parse(directory.read("health.json"), nullptr, false);
    REQUIRE_FALSE(json.is_discarded());
    CHECK(json["status"] == "unhealthy");
    CHECK(json["failingStreak"] == 6);
    REQUIRE(json["log"].size() == 5);
    CHECK(json["log"][0]["exitCode"] == 2);
    CHECK(json["log"][4]["output"] == "bad \xef\xbf\xbd byte");
    CHECK_FALSE(directory.has("health.json.new"));
}

TEST_CASE("a health that cannot be written leaves none, rather than an old one") {
    const HealthPolicy policy{1s, 1s, 0s, 1s, 3};
    const Health health(policy);
    hrun::test::TemporaryDirectory directory;
    REQUIRE(write_health(directory.fd.get(), health));
    REQUIRE(mkdir((directory.path + "/health.json.new").c_str(), 0700) == 0);
    CHECK_FALSE(write_health(directory.fd.get(), health));
    CHECK_FALSE(directory.has("health.json"));
}

TEST_CASE("a duration is written as Go writes it") {
    CHECK(go_duration(0ms) == "0s");
    CHECK(go_duration(250ms) == "250ms");
    CHECK(go_duration(30s) == "30s");
    CHECK(go_duration(1500ms) == "1.5s");
    CHECK(go_duration(90s) == "1m30s");
    CHECK(go_duration(1h) == "1h0m0s");
}

} // namespace
} // namespace hrun::monitor
