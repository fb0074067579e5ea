// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>

#include "namespaces/container.h"

using namespace hrun::test;

namespace {
std::string noise(size_t size) {
    std::string bytes(size, '\0');
    uint64_t state = 88172645463325252u;
    for (char& byte : bytes) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        byte = static_cast<char>(state);
    }
    return bytes;
}

// Starts a command as the container's process and waits until it runs.
Wire start(Machine& machine, Command command) {
    Wire wire = machine.open();
    command.flags |= HRUN_START_INIT_SESSION;
    wire.send(HRUN_START, start_tlvs(command).payload());
    wire.expect(HRUN_STARTED);
    return wire;
}
} // namespace

TEST_CASE("32 MiB through cat arrive as they were, and end of file passes through") {
    REQUIRE_RIG();
    Machine machine;
    std::string input = noise(32 << 20);
    Outcome outcome = machine.run({.arguments = {"cat"}, .flags = HRUN_START_STDIN, .input = input});
    CHECK(outcome.exit.code == 0);
    CHECK(outcome.output == input);
}

TEST_CASE("without HRUN_START_STDIN the process reads end of file") {
    REQUIRE_RIG();
    Machine machine;
    CHECK(machine.run_shell("cat; readlink /proc/self/fd/0").output == "/dev/null\n");
}

TEST_CASE("input that nobody reads is dropped and still credited") {
    REQUIRE_RIG();
    Machine machine;
    Outcome outcome = machine.run({.arguments = {"sh", "-c", "exec <&-; sleep 0.3; echo done"},
                                   .flags = HRUN_START_STDIN,
                                   .input = noise(4 << 20)});
    CHECK(outcome.output == "done\n");
    CHECK(outcome.exit.code == 0);
}

TEST_CASE("a host that does not credit one stream holds back neither the other nor EXIT of another session") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = start(machine, {.arguments = {"sh", "-c", "yes & sleep 0.2; echo err >&2; sleep 100"}});
    size_t got = 0;
    for (bool error_came = false; !error_came || got < HRUN_INITIAL_CREDIT;) {
        Frame frame = wire.expect(HRUN_DATA);
        error_came = error_came || frame.stream == HRUN_STDERR;
        got += frame.stream == HRUN_STDOUT ? frame.payload.size() : 0;
    }
    CHECK(got == HRUN_INITIAL_CREDIT);
    pollfd more{wire.fd(), POLLIN, 0};
    CHECK(poll(&more, 1, 200) == 0);
    Wire exec = machine.open();
    CHECK(run_session(exec, {.arguments = {"echo", "fine"}}).output == "fine\n");
    wire.send(HRUN_SIGNAL, bytes_of(uint32_t{SIGKILL}));
    wire.send(HRUN_CREDIT, bytes_of(uint32_t{HRUN_INITIAL_CREDIT}), HRUN_STDOUT);
    CHECK(finish_session(wire).exit.code == 137);
}

TEST_CASE("an exec ends with its process, whoever else holds its output open") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = start(machine, {.arguments = {"sleep", "100"}});
    Wire exec = machine.open();
    Outcome outcome = run_session(exec, {.arguments = {"sh", "-c", "echo before; sleep 50 & exit 5"}});
    CHECK(outcome.output == "before\n");
    CHECK(outcome.exit.code == 5);
    CHECK(!exec.receive());
}

TEST_CASE("an exec joins the container's namespaces and ends with it") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add(HRUN_CONF_HOSTNAME, "joined");
    Wire wire = start(machine, {.arguments = {"sleep", "100"}});
    Wire exec = machine.open();
    Outcome outcome = run_session(
        exec,
        {.arguments = {
             "sh", "-c",
             "hostname; cat /proc/1/comm; grep ^0 /proc/self/cgroup; for n in mnt pid uts ipc cgroup; do "
             "[ $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) ] || echo $n; done; pwd"}});
    CHECK(outcome.output == "joined\nsleep\n0::/\n/\n");
    CHECK(outcome.pid > 1);
    Wire longer = machine.open();
    longer.send(HRUN_START, start_tlvs({.arguments = {"sleep", "100"}}).payload());
    longer.expect(HRUN_STARTED);
    wire.send(HRUN_SIGNAL, bytes_of(uint32_t{SIGKILL}));
    CHECK(finish_session(wire).exit.code == 137);
    CHECK(finish_session(longer).exit.code == 137);
    Wire late = machine.open();
    CHECK(run_session(late, {.arguments = {"true"}}).failure == "the container is not running");
}

TEST_CASE("a terminal is the process's controlling terminal, has a size and is /dev/console") {
    REQUIRE_RIG();
    Machine machine;
    Command command{.arguments = {"sh", "-c",
                                  "tty; stty size; cat /proc/self/stat | cut -d' ' -f7; "
                                  "[ -c /dev/console ] && echo console; echo err >&2"}};
    command.flags = HRUN_START_TTY | HRUN_START_STDIN;
    command.more.add(HRUN_START_SIZE, bytes_of(uint16_t{33}) + bytes_of(uint16_t{101}));
    command.input = "";
    Outcome outcome = machine.run(command);
    CHECK(outcome.output == "/dev/pts/0\r\n33 101\r\n34816\r\nconsole\r\nerr\r\n");
    CHECK(outcome.exit.code == 0);
}

TEST_CASE("RESIZE reaches the foreground process as SIGWINCH, and Ctrl-C as SIGINT") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = start(machine, {.arguments = {"sh", "-c",
                                              "trap 'stty size' WINCH; trap 'echo int; exit 4' INT; stty "
                                              "-echo; echo up; while :; do sleep 0.01; done"},
                                .flags = HRUN_START_TTY | HRUN_START_STDIN});
    std::string output;
    while (output != "up\r\n")
        output += wire.expect(HRUN_DATA).payload;
    wire.send(HRUN_RESIZE, bytes_of(uint16_t{10}) + bytes_of(uint16_t{20}));
    while (output != "up\r\n10 20\r\n")
        output += wire.expect(HRUN_DATA).payload;
    wire.send(HRUN_DATA, "\x03", HRUN_STDIN);
    Outcome outcome = finish_session(wire);
    CHECK(outcome.output.find("int\r\n") != std::string::npos);
    CHECK(outcome.exit.code == 4);
}

TEST_CASE("end of file on a terminal's input is its end-of-file character") {
    REQUIRE_RIG();
    Machine machine;
    Outcome outcome = machine.run(
        {.arguments = {"cat"}, .flags = HRUN_START_TTY | HRUN_START_STDIN, .input = "line\nhalf"});
    CHECK(outcome.output == "line\r\nhalfline\r\nhalf");
    CHECK(outcome.exit.code == 0);
}

TEST_CASE("an exec's terminal ends with its process even if something keeps it open") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = start(machine, {.arguments = {"sleep", "100"}});
    Wire exec = machine.open();
    Outcome outcome =
        run_session(exec, {.arguments = {"sh", "-c", "trap '' HUP; sleep 50 & echo here; exit 6"},
                           .flags = HRUN_START_TTY});
    CHECK(outcome.output == "here\r\n");
    CHECK(outcome.exit.code == 6);
}

TEST_CASE("a host that hangs up leaves the container running") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = start(machine, {.arguments = {"sleep", "100"}});
    {
        Wire exec = machine.open();
        exec.send(HRUN_START, start_tlvs({.arguments = {"cat"}, .flags = HRUN_START_STDIN}).payload());
        exec.expect(HRUN_STARTED);
    }
    Wire exec = machine.open();
    CHECK(run_session(exec, {.arguments = {"sh", "-c", "while pgrep cat >/dev/null; do :; done; echo gone"}})
              .output == "gone\n");
}

TEST_CASE("a process that is detached from keeps its terminal, and what it says is dropped") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = start(machine, {.arguments = {"sleep", "100"}});
    {
        Wire exec = machine.open();
        const std::string script = "echo up; until test -e /tmp/go; do sleep 0.01; done; "
                                   "seq 100000; test -t 1 && echo on >/tmp/left";
        exec.send(HRUN_START,
                  start_tlvs({.arguments = {"sh", "-c", script}, .flags = HRUN_START_TTY | HRUN_START_STDIN})
                      .payload());
        exec.expect(HRUN_STARTED);
        std::string output;
        while (output != "up\r\n")
            output += exec.expect(HRUN_DATA).payload;
        exec.send(HRUN_DETACH, "");
    }
    Wire exec = machine.open();
    CHECK(run_session(
              exec,
              {.arguments = {"sh", "-c",
                             "touch /tmp/go; until test -s /tmp/left; do sleep 0.01; done; cat /tmp/left"}})
              .output == "on\n");
}

TEST_CASE("a process with pipes that is detached from does not notice but for the end of its input") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = start(machine, {.arguments = {"sleep", "100"}});
    {
        Wire exec = machine.open();
        const std::string script = "cat; seq 100000; seq 100000 >&2; echo on >/tmp/left";
        exec.send(HRUN_START,
                  start_tlvs({.arguments = {"sh", "-c", script}, .flags = HRUN_START_STDIN}).payload());
        exec.send(HRUN_DETACH, "");
        exec.expect(HRUN_STARTED);
    }
    Wire exec = machine.open();
    CHECK(run_session(exec, {.arguments = {"sh", "-c",
                                           "until test -s /tmp/left; do sleep 0.01; done; cat /tmp/left"}})
              .output == "on\n");
}
