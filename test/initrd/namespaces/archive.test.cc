// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "namespaces/container.h"

using namespace hrun::test;

namespace {

Outcome archive(Machine& machine, uint32_t operation, std::vector<std::string> arguments,
                const std::string& input = "", const std::string& user = "") {
    Wire wire = machine.open();
    Tlvs tlvs;
    tlvs.add_u32(HRUN_START_ARCHIVE, operation);
    for (const auto& argument : arguments)
        tlvs.add(HRUN_START_ARG, argument);
    if (!user.empty())
        tlvs.add(HRUN_START_USER, user);
    bool put = operation == HRUN_ARCHIVE_PUT;
    tlvs.add_u32(HRUN_START_FLAGS, put ? HRUN_START_STDIN : 0);
    wire.send(HRUN_START, tlvs.payload());
    return finish_session(wire, input, put);
}

// A container that is up until its wire goes.
struct Running : Machine {
    Wire wire{-1};

    explicit Running(const std::string& script = "") : wire(start(script)) {}

    Wire start(const std::string& script) {
        Wire init = open();
        Command command{.arguments = {"sh", "-c", script + "\necho up; exec cat"}};
        command.flags = HRUN_START_INIT_SESSION | HRUN_START_STDIN;
        init.send(HRUN_START, start_tlvs(command).payload());
        for (std::string output; output.find("up\n") == std::string::npos;) {
            auto frame = init.receive();
            REQUIRE(frame);
            REQUIRE(frame->type != HRUN_ERROR);
            if (frame->type == HRUN_DATA && frame->stream == HRUN_STDOUT)
                output += frame->payload;
        }
        return init;
    }

    Outcome shell(const std::string& script) {
        Wire exec = open();
        return run_session(exec, {.arguments = {"sh", "-c", script}});
    }
};

// What GNU tar says of an archive.
std::string listing(const std::string& tar, const std::string& options = "tvf") {
    TemporaryDirectory directory;
    std::ofstream(directory.path("a.tar"), std::ios::binary) << tar;
    return run_command("tar --numeric-owner --utc -" + options + " " + directory.path("a.tar") + " 2>&1");
}

std::string made_by(const std::string& script) {
    TemporaryDirectory directory;
    run_command("mkdir " + directory.path("t") + "; cd " + directory.path("t") + "; " + script);
    std::ifstream file(directory.path("t/out.tar"), std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

} // namespace

TEST_CASE("a tree goes out with every type of file, exact to owner, mode, time and attributes") {
    REQUIRE_RIG();
    Running machine("mkdir -p /t/sub; cd /t; echo hello > file; ln file hard; ln -s ../x link; mkfifo pipe; "
                    "mknod null c 1 3; chown 5:7 file; chmod 4751 file; touch -d @1234567890 file link sub; "
                    "touch 'odd\nname' $(printf 'a%.0s' $(seq 1 150)) $(printf '\\377')");
    Outcome outcome = archive(machine, HRUN_ARCHIVE_GET, {"/t", "tree"});
    CHECK(outcome.exit.code == 0);
    CHECK(outcome.error == "");
    std::string list = listing(outcome.output);
    CHECK(list.find("-rwsr-x--x 5/7               6 2009-02-13 23:31 tree/") != std::string::npos);
    CHECK(list.find("link to tree/") != std::string::npos);
    CHECK(list.find("tree/link -> ../x") != std::string::npos);
    CHECK(list.find("prw-") != std::string::npos);
    CHECK(list.find("crw-") != std::string::npos);
    CHECK(list.find("odd\\nname") != std::string::npos);
    CHECK(list.find("tree/\\377") != std::string::npos);
    CHECK(list.find("tree/" + std::string(150, 'a')) != std::string::npos);
    CHECK(list.find("tree/sub/\n") != std::string::npos);
}

TEST_CASE("what went out comes in again as the same tree") {
    REQUIRE_RIG();
    Running machine(
        "mkdir -p /t/sub/deep /u; cd /t; echo hello > file; ln file hard; ln -s /etc link; chmod 2755 sub; "
        "chown 3:4 sub/deep; echo x > 'sub/odd\nname'; chmod 400 file; touch -d @1234567890 file sub; "
        "dd if=/dev/urandom of=big bs=64k count=20 2>/dev/null");
    std::string tar = archive(machine, HRUN_ARCHIVE_GET, {"/t", "."}).output;
    Outcome put = archive(machine, HRUN_ARCHIVE_PUT, {"/u"}, tar);
    CHECK(put.exit.code == 0);
    CHECK(put.error == "");
    Outcome same =
        machine.shell("list() { cd $1; find . -mindepth 1 "
                      "-exec stat -c '%n %a %u %g %Y %h %N' {} + | sort; find . -type f -exec md5sum {} + | "
                      "sort; }; list /t > /a; list /u > /b; cmp /a /b && wc -l < /b");
    CHECK(same.error == "");
    CHECK(same.exit.code == 0);
}

TEST_CASE("extended attributes go both ways, the overlay's own do not") {
    REQUIRE_RIG();
    Machine machine;
    uint32_t slot =
        machine.rig.add_layer("mkdir t u; echo 1 > t/f; setfattr -n user.color -v blue t/f; "
                              "setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 "
                              "t/f");
    machine.configure.add_u32(HRUN_CONF_LAYER, slot);
    std::string tar = archive(machine, HRUN_ARCHIVE_GET, {"/t", "t"}).output;
    CHECK(tar.find("SCHILY.xattr.user.color=blue\n") != std::string::npos);
    CHECK(tar.find("SCHILY.xattr.security.capability=") != std::string::npos);
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/u"}, tar).error == "");
    std::string again = archive(machine, HRUN_ARCHIVE_GET, {"/u/t", "t"}).output;
    CHECK(again.find("SCHILY.xattr.security.capability=") != std::string::npos);
    CHECK(again.find("overlay") == std::string::npos);
}

TEST_CASE("holes of a large file cost nothing on the way, in or out") {
    REQUIRE_RIG();
    Running machine("mkdir /t /u; truncate -s 4G /t/holes; echo data | dd of=/t/holes bs=1M seek=3000 "
                    "conv=notrunc 2>/dev/null");
    std::string tar = archive(machine, HRUN_ARCHIVE_GET, {"/t/holes", "holes"}).output;
    CHECK(tar.size() < 100000);
    CHECK(listing(tar).find(" 4294967296 ") != std::string::npos);
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/u"}, tar).error == "");
    CHECK(machine
              .shell("stat -c %s /u/holes; dd if=/u/holes bs=1M skip=3000 count=1 2>/dev/null | head -c 5; "
                     "du /u/holes | cut -f1")
              .output.substr(0, 16) == "4294967296\ndata\n");
}

TEST_CASE("GNU tar's archives are unpacked: sparse files of both formats, long names, base-256 numbers") {
    REQUIRE_RIG();
    Running machine;
    std::string make = "truncate -s 3M holes; echo end >> holes; mkdir -p " + std::string(120, 'd') +
                       "; touch " + std::string(120, 'd') + "/" + std::string(120, 'f') + "; tar --format=";
    for (const char* format : {"gnu", "posix"}) {
        std::string tar = made_by(make + format + " --owner=3000000 -S -cf out.tar holes d*");
        Outcome put = archive(machine, HRUN_ARCHIVE_PUT, {"/tmp"}, tar);
        CHECK(put.error == "");
        CHECK(machine
                  .shell(
                      "tail -c 4 /tmp/holes; stat -c '%s %u' /tmp/holes; ls /tmp/d*/f* | wc -l; rm -r /tmp/*")
                  .output == "end\n3145732 3000000\n1\n");
    }
}

TEST_CASE("no archive and no link leads out of the container's root") {
    REQUIRE_RIG();
    Running machine("ln -s / /evil; ln -s ../../../../.. /up; mkdir /in");
    CHECK(archive(machine, HRUN_ARCHIVE_STAT, {"/up/init"}).failure.find("No such file") !=
          std::string::npos);
    CHECK(archive(machine, HRUN_ARCHIVE_STAT, {"/evil/slots"}).failure.find("No such file") !=
          std::string::npos);
    std::string tar = made_by("mkdir -p a; echo x > a/f; tar -cPf out.tar --transform 's,^a/,../../,' a/f");
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/in"}, tar).error.find("outside of the destination") !=
          std::string::npos);
    tar = made_by("mkdir -p up/tmp; echo x > up/tmp/f; tar -cf out.tar up/tmp/f");
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/"}, tar).error == "");
    CHECK(machine.shell("cat /tmp/f").output == "x\n");
}

TEST_CASE("an archive cannot replace a directory by a file, nor a file by a directory") {
    REQUIRE_RIG();
    Running machine("mkdir /t; mkdir /t/d; echo 1 > /t/f");
    std::string tar = made_by("echo > d; tar -cf out.tar d");
    Outcome outcome = archive(machine, HRUN_ARCHIVE_PUT, {"/t"}, tar);
    CHECK(outcome.error == "cannot overwrite directory \"d\" with non-directory");
    CHECK(outcome.exit.code == 1);
    tar = made_by("mkdir f; tar -cf out.tar f");
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/t"}, tar).error ==
          "cannot overwrite non-directory \"f\" with directory");
}

TEST_CASE("everything unpacked belongs to a user of the image when one is named") {
    REQUIRE_RIG();
    Running machine;
    std::string tar = made_by("echo > f; mkdir d; tar --owner=7 -cf out.tar f d");
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/tmp"}, tar, "alice").error == "");
    CHECK(machine.shell("stat -c '%U %g' /tmp/f /tmp/d").output == "alice 1000\nalice 1000\n");
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/tmp"}, tar, "nobody").failure_head.kind == HRUN_ERROR_USER);
}

TEST_CASE("a link is told with its target and with the path it leads to in the end") {
    REQUIRE_RIG();
    Running machine("mkdir -p /b/c; ln -s /b/c /a; ln -s ../x /b/c/l; ln -s a/l /start");
    std::string told = archive(machine, HRUN_ARCHIVE_STAT, {"/start"}).output;
    std::replace(told.begin(), told.end(), '\0', '|');
    CHECK(told.substr(0, 7) == "120777|");
    CHECK(told.substr(told.size() - 9) == "|a/l|/b/x");
    CHECK(archive(machine, HRUN_ARCHIVE_STAT, {"/start/"}).failure_head.error_number == ENOENT);
    CHECK(archive(machine, HRUN_ARCHIVE_STAT, {"/etc/passwd/"}).failure_head.error_number == ENOTDIR);
    CHECK(archive(machine, HRUN_ARCHIVE_STAT, {"/etc"}).output.substr(0, 5) == "40755");
}

TEST_CASE("a running container's own mounts are seen, the kernel's are left out of a larger tree") {
    REQUIRE_RIG();
    Running machine("echo shm > /dev/shm/file");
    CHECK(listing(archive(machine, HRUN_ARCHIVE_GET, {"/dev/shm", "shm"}).output).find("shm/file") !=
          std::string::npos);
    std::string root = listing(archive(machine, HRUN_ARCHIVE_GET, {"/", "."}).output, "tf");
    CHECK(root.find("./proc/\n") != std::string::npos);
    CHECK(root.find("./proc/1") == std::string::npos);
    CHECK(root.find("./etc/passwd\n") != std::string::npos);
}

TEST_CASE("changes and layer tell what was added, changed and deleted") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add_u32(
        HRUN_CONF_LAYER,
        machine.rig.add_layer("mkdir -p d/x again; echo 1 > d/same; echo 1 > d/gone; echo 1 > d/x/f; "
                              "echo 1 > again/old; echo 1 > again/kept; touch -d @1000 again/kept"));
    machine.configure.add(HRUN_CONF_FILE, fields({"/etc/hosts", "h"}));
    machine.configure.add_u32(HRUN_CONF_WRITABLE, machine.rig.add_writable());
    CHECK(
        machine
            .run_shell(
                "cd /d; rm gone; rm -r x; mkdir /new; echo > /new/file; rm -r /again; mkdir /again; echo 2 > "
                "/again/kept; chmod 700 /bin; echo > /new/.wh.same")
            .exit.code == 0);
    std::string told = archive(machine, HRUN_ARCHIVE_CHANGES, {}).output;
    std::replace(told.begin(), told.end(), '\0', '\n');
    std::stringstream lines(told);
    std::vector<std::string> sorted;
    for (std::string line; std::getline(lines, line);)
        sorted.push_back(line);
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == std::vector<std::string>{"A/new", "A/new/.wh.same", "A/new/file", "C/again",
                                             "C/again/kept", "C/bin", "C/d", "D/again/old", "D/d/gone",
                                             "D/d/x"});
    std::string layer = listing(archive(machine, HRUN_ARCHIVE_LAYER, {}).output, "tf");
    for (const char* name :
         {"again/.wh..wh..opq\n", "again/kept\n", "d/.wh.gone\n", "d/.wh.x\n", "new/file\n", "bin/\n"})
        CHECK(layer.find(name) != std::string::npos);
    for (const char* name : {"d/same", "etc/hosts", "proc", ".wh.same", "overlay"})
        CHECK(layer.find(name) == std::string::npos);
}

TEST_CASE("an export is the whole root without what is mounted in it") {
    REQUIRE_RIG();
    Running machine("echo 1 > /new; echo 1 > /dev/shm/no");
    std::string list = listing(archive(machine, HRUN_ARCHIVE_EXPORT, {}).output, "tf");
    CHECK(list.find("etc/passwd\n") != std::string::npos);
    CHECK(list.find("new\n") != std::string::npos);
    CHECK(list.find("dev/shm") == std::string::npos);
}

TEST_CASE("files can be had before the container's process runs, when it has ended, and while it is frozen") {
    REQUIRE_RIG();
    Machine machine;
    CHECK(archive(machine, HRUN_ARCHIVE_STAT, {"/etc/passwd"}).output.substr(0, 6) == "100644");
    CHECK(machine.run_shell("echo 1 > /made").exit.code == 0);
    CHECK(archive(machine, HRUN_ARCHIVE_STAT, {"/made"}).output.substr(0, 6) == "100644");
    Running running;
    Wire control = running.open();
    control.send(HRUN_PAUSE);
    control.expect(HRUN_PAUSED);
    CHECK(archive(running, HRUN_ARCHIVE_STAT, {"/etc/passwd"}).output.substr(0, 6) == "100644");
    control.send(HRUN_RESUME);
    control.expect(HRUN_RESUMED);
}

TEST_CASE("a read-only root takes no archive, running or not") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add_u32(HRUN_CONF_FLAGS, HRUN_CONF_FLAG_READONLY_ROOT);
    std::string tar = made_by("echo > f; tar -cf out.tar f");
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/tmp"}, tar).failure ==
          "container rootfs is marked read-only");
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/tmp/none"}, tar).failure_head.error_number == ENOENT);
}

TEST_CASE("an archive nobody takes any more ends, and the container does not see the one at work") {
    REQUIRE_RIG();
    Running machine("dd if=/dev/zero of=/big bs=1M count=8 2>/dev/null");
    {
        Wire wire = machine.open();
        Tlvs tlvs;
        tlvs.add_u32(HRUN_START_ARCHIVE, HRUN_ARCHIVE_GET)
            .add(HRUN_START_ARG, "/big")
            .add(HRUN_START_ARG, "big");
        wire.send(HRUN_START, tlvs.payload());
        wire.expect(HRUN_STARTED);
        wire.expect(HRUN_DATA);
        CHECK(machine.shell("ps | grep -c '[h]run\\|[i]nit'").output == "0\n");
    }
    std::string children = "/proc/" + std::to_string(machine.rig.agent());
    CHECK(machine.shell("true").exit.code == 0);
}

TEST_CASE("a damaged archive is refused with one line") {
    REQUIRE_RIG();
    Running machine;
    std::string tar = made_by("head -c 5000 /dev/urandom > f; tar -cf out.tar f");
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/tmp"}, tar.substr(0, 3000)).error ==
          "the archive is damaged: it ends too early");
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/tmp"}, std::string(600, 'x')).error ==
          "the archive is damaged: a header's checksum is wrong, or it is no tar");
    CHECK(archive(machine, HRUN_ARCHIVE_PUT, {"/tmp"}, "").exit.code == 0);
}
