// SPDX-License-Identifier: Apache-2.0
#include "names/dns_message.h"

#include <doctest/doctest.h>

using namespace hrun;
using namespace hrun::names;

namespace {

constexpr char kHead[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00";

std::string query(const std::string& name, uint16_t type) {
    std::string message(kHead, kHeader);
    message += encode_name(name);
    message += '\0';
    message += static_cast<char>(type);
    return message + std::string("\0\1", 2);
}

} // namespace

TEST_CASE("a question is read in lower case, and its end is known") {
    const std::string message = query("Web.DB", 1) + "an OPT record, or whatever";
    const auto question = parse_query(message);
    REQUIRE(question);
    CHECK(question->name == "web.db");
    CHECK(question->type == 1);
    CHECK(question->end == query("Web.DB", 1).size());
}

TEST_CASE("what is cut off anywhere is no question") {
    const std::string whole = query("web.db", 1);
    for (size_t size = 0; size < whole.size(); ++size)
        CHECK_FALSE(parse_query(std::string_view(whole).substr(0, size)));
    CHECK(parse_query(whole));
}

TEST_CASE("responses, other operations, several questions, pointers and long names are no questions") {
    const auto with = [](size_t offset, char value) {
        std::string message = query("web", 1);
        message[offset] = value;
        return parse_query(message).has_value();
    };
    CHECK_FALSE(with(2, '\x80'));
    CHECK_FALSE(with(2, '\x28'));
    CHECK_FALSE(with(5, 2));
    CHECK_FALSE(with(7, 1));
    CHECK_FALSE(with(kHeader, '\xc0'));
    CHECK_FALSE(with(kHeader, '\x40'));
    CHECK_FALSE(with(query("web", 1).size() - 1, 3)); // class CH
    std::string name = "a";
    while (name.size() < 300)
        name += ".a";
    CHECK_FALSE(parse_query(query(name, 1)));
}

TEST_CASE("a label with a dot in it is not taken for two") {
    std::string message = query("webxdb", 1);
    message[kHeader + 4] = '.';
    const auto question = parse_query(message);
    REQUIRE(question);
    CHECK(question->name.empty());
}

TEST_CASE("a response has the question, the answers and no more of them than fit") {
    const std::string asked = query("web", 1) + "OPT";
    const auto question = parse_query(asked);
    const std::string answer = make_response(asked, *question, ResponseCode::kNone,
                                             {{RecordType::kA, std::string("\x0a\x05\x00\x02", 4)}});
    CHECK(answer == std::string("\x12\x34\x85\x80\x00\x01\x00\x01\x00\x00\x00\x00", 12) +
                        query("web", 1).substr(kHeader) +
                        std::string("\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x0a\x05\x00\x02", 16));
    const std::vector<Answer> many(40, {RecordType::kA, "1234"});
    CHECK(make_response(asked, *question, ResponseCode::kNone, many).size() < 512);
    const std::vector<Answer> wide(40, {RecordType::kAaaa, "1234567890123456"});
    CHECK(make_response(asked, *question, ResponseCode::kNone, wide).size() < 512);
    const std::string longest =
        query(std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c'), 28);
    const std::string cut = make_response(longest, *parse_query(longest), ResponseCode::kNone, wide);
    CHECK(cut.size() <= 512);
    CHECK(cut[7] == 11); // of 28 bytes each
    CHECK(make_response(asked, *question, ResponseCode::kServerFailure, {})[3] == '\x82');
}

TEST_CASE("reverse names are addresses, and nothing else is") {
    CHECK(reverse_address("2.0.31.172.in-addr.arpa") == parse_ip("172.31.0.2"));
    const std::string zeros = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa";
    CHECK(reverse_address("2.0.0.b." + zeros) == parse_ip("fd00:1::b002"));
    for (const std::string& bad : {"0." + zeros, "2.0.0.g." + zeros, "2.0.00." + zeros, "2.0.0.1.0." + zeros})
        CHECK_FALSE(reverse_address(bad));
    for (const char* bad : {"", "in-addr.arpa", ".in-addr.arpa", "2.0.31.in-addr.arpa",
                            "2.0.31.172.1.in-addr.arpa", "2.0.31.256.in-addr.arpa", "2.0..172.in-addr.arpa",
                            "2.0.31.172.in-addr.arpa.x", "+2.0.31.172.in-addr.arpa"})
        CHECK_FALSE(reverse_address(bad));
}

TEST_CASE("an answer has the question's id, and is one") {
    std::string response = query("web", 1);
    CHECK_FALSE(answers_question(response, query("web", 1)));
    response[2] = '\x81';
    CHECK(answers_question(response, query("web", 1)));
    set_id(response, 7);
    CHECK_FALSE(answers_question(response, query("web", 1)));
    CHECK_FALSE(answers_question("", query("web", 1)));
}

namespace {

std::string record(const std::string& name, uint16_t type, const std::string& data, uint8_t seconds = 60) {
    std::string bytes = name + std::string("\0", 1) + static_cast<char>(type) + std::string("\0\1\0\0\0", 5);
    bytes += static_cast<char>(seconds);
    bytes += '\0';
    return bytes + static_cast<char>(data.size()) + data;
}

// A response to a question for web.db, with these records.
std::string response_of(const std::vector<std::string>& records) {
    std::string message = query("web.db", 1);
    message[2] = '\x81';
    message[7] = static_cast<char>(records.size());
    for (const std::string& each : records)
        message += each;
    return message;
}

const std::string kPointer("\xc0\x0c", 2);

} // namespace

TEST_CASE("addresses are found among the answers of a response, whatever name they belong to") {
    const std::string whole = response_of(
        {record(kPointer, 5, encode_name("www.example")),
         record(encode_name("www.example"), 1, "\xc0\x01\x02\x03", 7),
         record(kPointer, 1, "\x0a\x01\x02\x03"), record(kPointer, 1, "no"), record(kPointer, 28, "abcd"),
         record(kPointer, 28, std::string("\xfd\x00", 2) + "12345678901234")});
    const auto found = addresses_in(whole);
    REQUIRE(found.size() == 3);
    CHECK(found[0].address == parse_ip("192.1.2.3"));
    CHECK(found[0].seconds == 7);
    CHECK(found[1].address == parse_ip("10.1.2.3"));
    CHECK(found[2].address == parse_ip("fd00:3132:3334:3536:3738:3930:3132:3334"));
    for (size_t size = 0; size < whole.size(); ++size)
        CHECK(addresses_in(std::string_view(whole).substr(0, size)).size() <= 3);
    CHECK(addresses_in(query("web.db", 1)).empty());
    CHECK(addresses_in(response_of(std::vector<std::string>(100, record(kPointer, 1, "abcd")))).size() == 64);
}
