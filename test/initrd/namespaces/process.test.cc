// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <signal.h>

#include "namespaces/container.h"

using namespace hrun::test;

TEST_CASE("the container's process is PID 1 and its output and exit code come back") {
    REQUIRE_RIG();
    Machine machine;
    Outcome outcome = machine.run_shell("echo out $$; echo err >&2; exit 7");
    CHECK(outcome.failure == "");
    CHECK(outcome.pid == 1);
    CHECK(outcome.output == "out 1\n");
    CHECK(outcome.error == "err\n");
    CHECK(outcome.exit.code == 7);
    CHECK(outcome.exit.signal == 0);
}

TEST_CASE("a process that dies of a signal exits with 128 and the signal") {
    REQUIRE_RIG();
    Machine machine;
    Outcome outcome =
        machine.run_shell("sh -c 'kill -TERM $$'; echo $?; trap 'exit 3' TERM; kill -TERM 1; exit 4");
    CHECK(outcome.output == "143\n");
    CHECK(outcome.exit.code == 3);
}

TEST_CASE("a signal from the host reaches PID 1 only if it handles it, and SIGKILL always") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = machine.open();
    Command command{.arguments = {"sh", "-c", "trap 'echo got' USR1; echo up; while :; do sleep 0.01; done"}};
    command.flags = HRUN_START_INIT_SESSION;
    wire.send(HRUN_START, start_tlvs(command).payload());
    wire.expect(HRUN_STARTED);
    CHECK(wire.expect(HRUN_DATA).payload == "up\n");
    wire.send(HRUN_SIGNAL, bytes_of(uint32_t{SIGTERM}));
    wire.send(HRUN_SIGNAL, bytes_of(uint32_t{SIGUSR1}));
    CHECK(wire.expect(HRUN_DATA).payload == "got\n");
    wire.send(HRUN_SIGNAL, bytes_of(uint32_t{SIGKILL}));
    Outcome outcome = finish_session(wire);
    CHECK(outcome.exit.code == 137);
    CHECK(outcome.exit.signal == SIGKILL);
    CHECK(outcome.exit.flags == 0);
}

TEST_CASE("with --init the command is the child of a tiny init that passes signals on and reaps") {
    REQUIRE_RIG();
    Machine machine;
    Wire wire = machine.open();
    Command command{
        .arguments = {"sh", "-c",
                      "trap 'exit 9' TERM; (sleep 0 & ) ; cat /proc/1/comm; echo $$ $PPID; sleep 0.2;"
                      "while ps -o comm | grep -q sleep; do :; done; ps -o stat | grep -c Z; while :; do "
                      "sleep 0.01; done"}};
    command.flags = HRUN_START_INIT_SESSION | HRUN_START_REAPER;
    wire.send(HRUN_START, start_tlvs(command).payload());
    wire.expect(HRUN_STARTED);
    std::string output;
    while (output != "hrun-init\n2 1\n0\n")
        output += wire.expect(HRUN_DATA).payload;
    wire.send(HRUN_SIGNAL, bytes_of(uint32_t{SIGTERM}));
    CHECK(finish_session(wire).exit.code == 9);
}

TEST_CASE("a command that does not exist or cannot be executed is told apart") {
    REQUIRE_RIG();
    struct Case {
        const char* command;
        uint32_t kind;
        const char* text;
    };
    const Case cases[] = {
        {"nothing", HRUN_ERROR_NOT_FOUND, "exec: \"nothing\": executable file not found in $PATH"},
        {"/bin/nothing", HRUN_ERROR_NOT_FOUND,
         "exec: \"/bin/nothing\": stat /bin/nothing: no such file or directory"},
        {"/etc", HRUN_ERROR_NOT_EXECUTABLE, "exec: \"/etc\": is a directory"},
        {"/etc/passwd", HRUN_ERROR_NOT_EXECUTABLE, "exec: \"/etc/passwd\": permission denied"},
        {"/bad", HRUN_ERROR_NOT_EXECUTABLE, "exec /bad: Exec format error"},
        {"/interpreter", HRUN_ERROR_NOT_FOUND, "exec /interpreter: No such file or directory"},
    };
    for (const Case& one : cases) {
        Machine machine;
        machine.configure.add_u32(HRUN_CONF_LAYER,
                                  machine.rig.add_layer("echo junk > bad; printf '#!/gone\n' > interpreter; "
                                                        "chmod 755 bad interpreter"));
        Outcome outcome = machine.run({.arguments = {one.command}});
        CHECK(outcome.failure == one.text);
        CHECK(outcome.failure_head.kind == one.kind);
    }
}

TEST_CASE("the working directory is entered, and made for the container's own process") {
    REQUIRE_RIG();
    Machine machine;
    Outcome outcome = machine.run({.arguments = {"pwd"}, .cwd = "/srv/new/dir"});
    CHECK(outcome.output == "/srv/new/dir\n");
    Machine other;
    outcome = other.run({.arguments = {"pwd"}, .cwd = "/etc/passwd"});
    CHECK(outcome.failure_head.kind == HRUN_ERROR_CWD);
}

TEST_CASE("limits, umask, OOM score and no_new_privs are those of the request") {
    REQUIRE_RIG();
    Machine machine;
    Command command{.arguments = {"sh", "-c",
                                  "ulimit -n; ulimit -Hn; umask; cat /proc/self/oom_score_adj; "
                                  "grep NoNewPrivs /proc/self/status"}};
    command.flags = HRUN_START_NO_NEW_PRIVS;
    std::string limit =
        bytes_of(uint32_t{7}) + bytes_of(uint32_t{0}) + bytes_of(uint64_t{123}) + bytes_of(uint64_t{456});
    command.more.add(HRUN_START_RLIMIT, limit)
        .add_u32(HRUN_START_UMASK, 027)
        .add_u32(HRUN_START_OOM_SCORE, 1300);
    CHECK(machine.run(command).output == "123\n456\n0027\n300\nNoNewPrivs:\t1\n");
}

TEST_CASE("no signal is blocked or ignored in a new process, and no descriptor is left open") {
    REQUIRE_RIG();
    Machine machine;
    Outcome outcome = machine.run_shell("grep -E 'Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd");
    CHECK(outcome.output == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0\n1\n2\n3\n");
}
