// SPDX-License-Identifier: Apache-2.0
#include "names/name_table.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/fd.h"
#include "names/resolver.h"

using namespace hrun;
using namespace hrun::names;

namespace {

Station station(const char* address, std::vector<std::string> names, std::vector<Ip> more = {}) {
    more.insert(more.begin(), *parse_ip(address));
    return {"", std::move(more), std::move(names), {}};
}

Question asks(std::string name, RecordType type) {
    return {std::move(name), static_cast<uint16_t>(type), 0};
}

} // namespace

TEST_CASE("a record has an address, names and servers, and may have lines that nobody knows") {
    const Station read =
        parse_station("address 10.5.0.2\naddress fd00::2\nname Web\nname www\nserver ::1\nfoo bar\n\n\n");
    CHECK(read.addresses == std::vector<Ip>{*parse_ip("10.5.0.2"), *parse_ip("fd00::2")});
    CHECK(read.names == std::vector<std::string>{"web", "www"});
    CHECK(read.servers == std::vector<std::string>{"::1"});
    CHECK(parse_station("address x\nname").addresses.empty());
    CHECK(parse_station("").names.empty());
}

TEST_CASE("a record counts as long as somebody holds its lock") {
    char path[] = "/tmp/hrun-names-XXXXXX";
    REQUIRE(mkdtemp(path));
    const Fd before(open(".", O_RDONLY | O_DIRECTORY));
    REQUIRE(chdir(path) == 0);
    for (const char* network : {"db", "web", ".ports"})
        std::filesystem::create_directories(std::string(network) + "/names");
    const std::string id(64, 'a'), live = "db/names/" + id, dead = "db/names/" + std::string(64, 'b');
    for (const std::string& name :
         {live, dead, std::string("db/names/other"), "web/names/" + id, ".ports/names/" + id})
        std::ofstream(name) << "address 10.5.0.2\nname web\n";
    {
        const Fd held(open(live.c_str(), O_RDONLY));
        REQUIRE(flock(held.get(), LOCK_EX) == 0);
        REQUIRE(read_stations("db").size() == 1);
        CHECK(read_stations("db")[0].id == id);
        CHECK(networks_of(id) == std::vector<std::string>{"db"});
        const Fd other(open(("web/names/" + id).c_str(), O_RDONLY)),
            hidden(open((".ports/names/" + id).c_str(), O_RDONLY));
        REQUIRE((flock(other.get(), LOCK_EX) == 0 && flock(hidden.get(), LOCK_EX) == 0));
        CHECK(networks_of(id) == std::vector<std::string>{"db", "web"});
    }
    CHECK(read_stations("db").empty());
    CHECK(networks_of(id).empty());
    std::ofstream("db/servers") << "192.0.2.1\n::1\n";
    CHECK(read_servers("db") == std::vector<std::string>{"192.0.2.1", "::1"});
    REQUIRE(fchdir(before.get()) == 0);
    std::filesystem::remove_all(path);
    CHECK(read_stations("db").empty());
}

TEST_CASE("names are looked up by themselves and below the network's, addresses backwards") {
    const std::vector<Station> stations{station("10.5.0.2", {"web", "www"}),
                                        station("10.5.0.3", {"api", "www"}, {*parse_ip("fd00:1::3")}),
                                        station("10.5.0.4", {})};
    CHECK(look_up(stations, "db", asks("web", RecordType::kA))->size() == 1);
    CHECK(look_up(stations, "db", asks("web.db", RecordType::kA))->size() == 1);
    CHECK(look_up(stations, "db", asks("www", RecordType::kA))->size() == 2);
    CHECK(look_up(stations, "db", asks("web", RecordType::kPtr))->empty());
    CHECK_FALSE(look_up(stations, "db", asks("web.other", RecordType::kA)));
    CHECK_FALSE(look_up(stations, "db", asks("", RecordType::kA)));
    const auto pointer = look_up(stations, "db", asks("3.0.5.10.in-addr.arpa", RecordType::kPtr));
    REQUIRE(pointer);
    CHECK(pointer->front().data == encode_name("api.db"));
    CHECK(look_up(stations, "db", asks("4.0.5.10.in-addr.arpa", RecordType::kPtr))->empty());
    CHECK(look_up(stations, "db", asks("web", RecordType::kAaaa))->empty());
    const auto wide = look_up(stations, "db", asks("www", RecordType::kAaaa));
    REQUIRE(wide->size() == 1);
    CHECK(wide->front().type == RecordType::kAaaa);
    CHECK(wide->front().data.size() == 16);
    CHECK(look_up(stations, "db", asks("www", RecordType::kAny))->size() == 3);
    CHECK(look_up(stations, "db",
                  asks("3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa",
                       RecordType::kPtr))
              ->front()
              .data == encode_name("api.db"));
    CHECK_FALSE(look_up(stations, "db", asks("9.0.5.10.in-addr.arpa", RecordType::kPtr)));
}
