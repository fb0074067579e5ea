// SPDX-License-Identifier: Apache-2.0
#include "monitor/probe_journal.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "monitor/temporary_directory.h"

namespace hrun::monitor {
namespace {

using namespace std::chrono_literals;

constexpr auto kHealthy = static_cast<uint32_t>(Health::Status::kHealthy);
constexpr auto kUnhealthy = static_cast<uint32_t>(Health::Status::kUnhealthy);

struct Journal {
    Journal() { mkdir((store.path + "/containers").c_str(), 0700); }

    std::vector<nlohmann::json> events() const {
        std::vector<nlohmann::json> found;
        std::istringstream lines(store.read("events.log"));
        for (std::string line; std::getline(lines, line);)
            if (!line.empty())
                found.push_back(nlohmann::json::parse(line));
        return found;
    }
    std::string actions() const {
        std::string all;
        for (const auto& event : events())
            all += event["Action"].get<std::string>() + "|";
        return all;
    }

    hrun::test::TemporaryDirectory store;
    HealthPolicy policy{1s, 1s, 0s, 5s, 3};
    EventJournal journal{store.path + "/containers/id", "id"};
    ProbeJournal probes{journal, policy, "true x"};
    ProbeJournal::Clock::time_point now{};
};

TEST_CASE("a probe is an exec, and what it changes an event of its own") {
    Journal journal;
    journal.probes.write({KeeperRequest::kProbeBegun, 0}, journal.now);
    journal.probes.write({KeeperRequest::kProbeEnded, 3}, journal.now);
    journal.probes.write({KeeperRequest::kHealth, kUnhealthy}, journal.now);
    CHECK(journal.actions() == "exec_create: true x|exec_start: true x|exec_die|health_status: unhealthy|");
    const auto events = journal.events();
    CHECK(events[2]["Actor"]["Attributes"]["exitCode"] == "3");
    CHECK(events[2]["Actor"]["Attributes"]["execID"] == events[0]["Actor"]["Attributes"]["execID"]);
    CHECK(events[0]["Actor"]["Attributes"]["execID"].get<std::string>().size() == 64);
}

TEST_CASE("a monitor that says more than there can be does not fill the journal") {
    Journal journal;
    for (int i = 0; i < 100; ++i) {
        journal.probes.write({KeeperRequest::kProbeBegun, 0}, journal.now);
        journal.probes.write({KeeperRequest::kProbeEnded, 0xffffffff}, journal.now);
        journal.probes.write({KeeperRequest::kHealth, kHealthy}, journal.now);
        journal.probes.write({KeeperRequest::kHealth, 77}, journal.now);
    }
    CHECK(journal.events().size() == 4);
    journal.now += 900ms; // a message that took its time
    journal.probes.write({KeeperRequest::kProbeBegun, 0}, journal.now);
    CHECK(journal.events().size() == 6);
}

TEST_CASE("no verdict comes without a probe") {
    Journal journal;
    journal.probes.write({KeeperRequest::kHealth, kHealthy}, journal.now);
    journal.probes.write({KeeperRequest::kProbeEnded, 0}, journal.now);
    CHECK_FALSE(journal.store.has("events.log"));
}

} // namespace
} // namespace hrun::monitor
