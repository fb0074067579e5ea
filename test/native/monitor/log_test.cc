// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "monitor/clock.h"
#include "monitor/log_file.h"
#include "monitor/log_line.h"
#include "monitor/temporary_directory.h"
#include "protocol.h"

namespace hrun::monitor {
namespace {

using hrun::test::TemporaryDirectory;

std::string escaped(std::string_view text) {
    std::string out;
    append_log_line(out, text, "stdout", "", "T");
    constexpr std::string_view kHead = "{\"log\":\"";
    constexpr std::string_view kTail = "\",\"stream\":\"stdout\",\"time\":\"T\"}\n";
    REQUIRE(out.starts_with(kHead));
    REQUIRE(out.ends_with(kTail));
    return out.substr(kHead.size(), out.size() - kHead.size() - kTail.size());
}

TEST_CASE("text is escaped as Docker's encoder does it") {
    CHECK(escaped("plain text\n") == "plain text\\n");
    CHECK(escaped("\r\t\x1b[0m") == "\\r\\u0009\\u001b[0m");
    CHECK(escaped("\"a\\b\"") == "\\\"a\\\\b\\\"");
    CHECK(escaped("<a&b>") == "\\u003ca\\u0026b\\u003e");
    CHECK(escaped(std::string_view("\0\x7f", 2)) == "\\u0000\x7f");
    CHECK(escaped("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80") == "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
    CHECK(escaped("\xe2\x80\xa8\xe2\x80\xa9") == "\\u2028\\u2029");
}

TEST_CASE("attributes stand in every line, by their names, as Docker writes them") {
    TemporaryDirectory directory;
    LogConfig config;
    config.attributes = {{"team", "<red>"}, {"NAME", "a \"b\""}};
    auto log = LogFile::open(directory.fd.get(), "container.log", config);
    REQUIRE(log);
    log->append(HRUN_STDERR, "one\ntwo\n");
    REQUIRE(log->flush());
    const std::string text = directory.read("container.log");
    const std::string attributes =
        R"("stream":"stderr","attrs":{"NAME":"a \"b\"","team":"\u003cred\u003e"},"time":")";
    CHECK(text.starts_with(R"({"log":"one\n",)" + attributes));
    CHECK(text.find(R"({"log":"two\n",)" + attributes) != std::string::npos);
    CHECK(log_attributes({}) == "");
}

TEST_CASE("each byte that is not UTF-8 becomes one replacement character") {
    CHECK(escaped("\xff") == "\\ufffd");
    CHECK(escaped("a\xc3") == "a\\ufffd");
    CHECK(escaped("\xc0\xaf") == "\\ufffd\\ufffd");                       // overlong
    CHECK(escaped("\xed\xa0\x80") == "\\ufffd\\ufffd\\ufffd");            // surrogate
    CHECK(escaped("\xf4\x90\x80\x80") == "\\ufffd\\ufffd\\ufffd\\ufffd"); // beyond U+10FFFF
    CHECK(escaped("\xe2\x82") == "\\ufffd\\ufffd");
}

TEST_CASE("a time has as many digits as it needs, as Go's RFC3339Nano") {
    CHECK(timestamp(0, 0) == "1970-01-01T00:00:00Z");
    CHECK(timestamp(1714564800, 123456789) == "2024-05-01T12:00:00.123456789Z");
    CHECK(timestamp(1714564800, 120000000) == "2024-05-01T12:00:00.12Z");
    CHECK(timestamp(1714564800, 5) == "2024-05-01T12:00:00.000000005Z");
}

struct Line {
    std::string log;
    std::string stream;
};

std::vector<Line> lines_of(const std::string& text) {
    std::vector<Line> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const auto json = nlohmann::json::parse(line);
        lines.push_back({json["log"], json["stream"]});
    }
    return lines;
}

TEST_CASE("lines are put together from pieces, per stream, and the last one needs no newline") {
    TemporaryDirectory directory;
    auto log = LogFile::open(directory.fd.get(), "container.log", {});
    REQUIRE(log);
    log->append(HRUN_STDOUT, "one\ntw");
    log->append(HRUN_STDERR, "error\n");
    log->append(HRUN_STDOUT, "o\nthree");
    log->end_of_stream(HRUN_STDOUT);
    log->end_of_stream(HRUN_STDERR);
    REQUIRE(log->flush());
    const auto lines = lines_of(directory.read("container.log"));
    REQUIRE(lines.size() == 4);
    CHECK(lines[0].log == "one\n");
    CHECK(lines[1].log == "error\n");
    CHECK(lines[1].stream == "stderr");
    CHECK(lines[2].log == "two\n");
    CHECK(lines[3].log == "three");
}

TEST_CASE("a line over 16 KiB is logged in pieces of 16 KiB") {
    TemporaryDirectory directory;
    auto log = LogFile::open(directory.fd.get(), "container.log", {});
    REQUIRE(log);
    const std::string text(40000, 'x');
    for (size_t at = 0; at < text.size(); at += 1000)
        log->append(HRUN_STDOUT, text.substr(at, 1000));
    log->append(HRUN_STDOUT, "\n");
    REQUIRE(log->flush());
    const auto lines = lines_of(directory.read("container.log"));
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].log.size() == LogFile::kMaxLine);
    CHECK(lines[1].log.size() == LogFile::kMaxLine);
    CHECK(lines[2].log == std::string(40000 - 2 * LogFile::kMaxLine, 'x') + "\n");
}

TEST_CASE("a full file is rotated between lines and the oldest goes") {
    TemporaryDirectory directory;
    auto log = LogFile::open(directory.fd.get(), "container.log", {true, 500, 3});
    REQUIRE(log);
    for (int i = 0; i < 100; ++i) {
        log->append(HRUN_STDOUT, "line " + std::to_string(i) + "\n");
        if (i % 7 == 0)
            REQUIRE(log->flush());
    }
    REQUIRE(log->flush());
    std::string all;
    for (const char* name : {"container.log.2", "container.log.1", "container.log"}) {
        const std::string part = directory.read(name);
        CHECK(part.ends_with("\n"));
        CHECK(part.size() < 700);
        all += part;
    }
    CHECK_FALSE(directory.has("container.log.3"));
    const auto lines = lines_of(all);
    CHECK(lines.back().log == "line 99\n");
    const int first = std::stoi(lines.front().log.substr(5));
    CHECK(lines.size() == static_cast<size_t>(100 - first));
}

TEST_CASE("with one file only a full log starts anew") {
    TemporaryDirectory directory;
    auto log = LogFile::open(directory.fd.get(), "container.log", {true, 200, 1});
    REQUIRE(log);
    for (int i = 0; i < 20; ++i)
        log->append(HRUN_STDOUT, "line\n");
    REQUIRE(log->flush());
    CHECK(directory.read("container.log").size() < 400);
    CHECK_FALSE(directory.has("container.log.1"));
}

TEST_CASE("without a log nothing is written") {
    TemporaryDirectory directory;
    auto log = LogFile::open(directory.fd.get(), "container.log", {false, 0, 1});
    REQUIRE(log);
    log->append(HRUN_STDOUT, "text\n");
    REQUIRE(log->flush());
    CHECK_FALSE(directory.has("container.log"));
}

TEST_CASE("a file that can grow no more is an error of flush") {
    TemporaryDirectory directory;
    auto log = LogFile::open(directory.fd.get(), "container.log", {});
    REQUIRE(log);
    rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{1000, before.rlim_max};
    std::signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    log->append(HRUN_STDOUT, std::string(5000, 'x') + "\n");
    const auto flushed = log->flush();
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK_FALSE(flushed);
    CHECK(flushed.error().code == EFBIG);
}

} // namespace
} // namespace hrun::monitor
