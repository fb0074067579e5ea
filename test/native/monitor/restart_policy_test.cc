// SPDX-License-Identifier: Apache-2.0
#include "monitor/restart_policy.h"

#include <doctest/doctest.h>

namespace hrun::monitor {
namespace {

using namespace std::chrono_literals;
using When = RestartPolicy::When;

constexpr RunEnd kFailed{1, false, 5ms};
constexpr RunEnd kSucceeded{0, false, 5ms};
constexpr RunEnd kStopped{143, true, 5ms};

TEST_CASE("the wait doubles from 100 ms to a minute, and begins anew after a run of ten seconds") {
    Restarts restarts({When::kAlways, 0});
    for (const auto wait : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 51200ms})
        CHECK(restarts.after(kFailed) == wait);
    CHECK(restarts.after(kFailed) == 60000ms);
    CHECK(restarts.after(kFailed) == 60000ms);
    CHECK(restarts.after({1, false, 10s}) == 100ms);
    CHECK(restarts.after(kFailed) == 200ms);
    CHECK(restarts.count() == 14);
}

TEST_CASE(
    "no: never; on-failure: after a failure, as often as it may; always and unless-stopped: after any end") {
    CHECK(!Restarts({When::kNo, 0}).after(kFailed));
    CHECK(!Restarts({When::kOnFailure, 0}).after(kSucceeded));
    CHECK(Restarts({When::kAlways, 0}).after(kSucceeded));
    CHECK(Restarts({When::kUnlessStopped, 0}).after(kSucceeded));
    Restarts twice({When::kOnFailure, 2});
    CHECK(twice.after(kFailed));
    CHECK(twice.after(kFailed));
    CHECK(!twice.after(kFailed));
    CHECK(twice.count() == 2);
}

TEST_CASE("what a client has stopped stays stopped") {
    for (const When when : {When::kOnFailure, When::kAlways, When::kUnlessStopped})
        CHECK(!Restarts({when, 0}).after(kStopped));
}

} // namespace
} // namespace hrun::monitor
