// SPDX-License-Identifier: Apache-2.0
// A container that asks a network's DNS server anything, and a server that answers it anything.
#include "names/dns_message.h"

#include <cstdlib>

#include "names/resolver.h"

using namespace hrun;
using namespace hrun::names;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string message(reinterpret_cast<const char*>(data), size);
    const std::vector<Station> stations{
        {"a", {*parse_ip("10.5.0.2"), *parse_ip("fd00::2")}, {"web", "www"}, {}},
        {"b", {*parse_ip("10.5.0.3")}, {"www"}, {}},
        {}};
    if (const auto question = parse_query(message)) {
        if (question->end > message.size() || question->name.size() > 255)
            abort();
        const auto answers = look_up(stations, "db", *question);
        const std::string response =
            make_response(message, *question, ResponseCode::kNone, answers.value_or(std::vector<Answer>()));
        if (response.size() > 512 || !answers_question(response, message))
            abort();
    }
    answers_question(message, message);
    addresses_in(message);
    parse_station(message);
    return 0;
}
