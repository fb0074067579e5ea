// SPDX-License-Identifier: Apache-2.0
#include "erofs/queue.h"

#include <doctest/doctest.h>

#include <thread>

using namespace hrun::erofs;

TEST_CASE("items arrive in order through a queue much smaller than they are many") {
    BoundedQueue<int> queue(3);
    std::thread producer([&] {
        for (int i = 0; i < 10000; i++)
            REQUIRE(queue.push(i));
    });
    for (int i = 0; i < 10000; i++)
        REQUIRE(queue.pop() == i);
    producer.join();
}

TEST_CASE("cancelling wakes both ends and drops what is queued") {
    BoundedQueue<int> full(1), empty(1);
    REQUIRE(full.push(1));
    std::thread producer([&] { CHECK_FALSE(full.push(2)); });
    std::thread consumer([&] { CHECK(empty.pop() == std::nullopt); });
    full.cancel();
    empty.cancel();
    producer.join();
    consumer.join();
    CHECK(full.pop() == std::nullopt);
    CHECK_FALSE(full.push(3));
}
