// SPDX-License-Identifier: Apache-2.0
#include "launcher/command_line.h"

#include <sstream>
#include <string>

#include "doctest/doctest.h"

using hrun::launcher::Interface;
using hrun::launcher::Networks;

namespace {

constexpr Networks kOfRoot{Interface::kTap, Interface::kTap};
constexpr Networks kOfUsers{std::nullopt, std::nullopt};

std::optional<Interface> run_of(const std::string& line, Networks networks) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
        words.push_back(word);
    return plain_run({words.begin(), words.end()}, networks);
}

bool is_plain(const std::string& line, Networks networks = kOfRoot) {
    return run_of(line, networks).has_value();
}

} // namespace

TEST_CASE("a run with nothing about its machine is plain") {
    for (const char* line :
         {"run busybox", "run --rm -it busybox sh -c true", "-t ubuntu bash", "-it --rm ubuntu",
          "run -d --name x image", "run --name=x -e A=1 -eB=2 -itu 5 image -v /x:/x", "run -- image",
          "run -p 80:80 --network bridge image", "run --entrypoint= image", "run --net=none image"})
        CHECK_MESSAGE(is_plain(line), line);
}

TEST_CASE("whatever is about the machine, or is not known, is not") {
    for (const char* line : {"",
                             "run",
                             "run --rm",
                             "run -it",
                             "run --help",
                             "run -m 1g image",
                             "run -m1g image",
                             "run --memory=1g image",
                             "run -itm 1g image",
                             "run --cpus 2 image",
                             "run -v /x:/x image",
                             "run --mount type=tmpfs image",
                             "run --engine kvm image",
                             "run --network passt image",
                             "run --network container:x image",
                             "run --network cni:x image",
                             "run --network=none=x image",
                             "run --name",
                             "run --rm=false image",
                             "run -it=false image",
                             "run --nonesuch image",
                             "busybox",
                             "ps",
                             "create image",
                             "--version",
                             "--help",
                             "-v",
                             "run --"})
        CHECK_FALSE_MESSAGE(is_plain(line), line);
}

TEST_CASE("where a tap interface is not what networks are by default, only none is plain") {
    CHECK_FALSE(is_plain("run image", kOfUsers));
    CHECK_FALSE(is_plain("run --network bridge image", kOfUsers));
    CHECK_FALSE(is_plain("run --network none --network bridge image", kOfUsers));
    CHECK(is_plain("run --network none image", kOfUsers));
}

TEST_CASE("the machine has the interface that the options say, or the usual one") {
    constexpr Networks none_by_default{Interface::kNone, Interface::kTap};
    CHECK(run_of("run -d image", kOfRoot) == Interface::kTap);
    CHECK(run_of("run --network none image", kOfRoot) == Interface::kNone);
    CHECK(run_of("run --net=bridge image --network none", kOfRoot) == Interface::kTap);
    CHECK(run_of("run image", none_by_default) == Interface::kNone);
    CHECK(run_of("run --net bridge image", none_by_default) == Interface::kTap);
}
