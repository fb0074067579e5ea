// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>

#include "namespaces/container.h"

using namespace hrun::test;

TEST_CASE("layers are stacked in order, with whiteouts and opaque directories") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add_u32(
        HRUN_CONF_LAYER, machine.rig.add_layer("mkdir a b; echo 1 > a/one; echo 1 > b/old; echo 1 > gone"));
    machine.configure.add_u32(
        HRUN_CONF_LAYER, machine.rig.add_layer("mkdir a b; echo 2 > a/one; mknod gone c 0 0; echo 2 > b/new; "
                                               "setfattr -n trusted.overlay.opaque -v y b; chmod 750 ."));
    CHECK(machine.run_shell("cat /a/one; ls /b; ls -d /gone; stat -c %a /").output == "2\nnew\n750\n");
}

TEST_CASE("twenty layers, about as many as a machine has slots for, are stacked") {
    REQUIRE_RIG();
    Machine machine;
    for (int i = 0; i < 19; i++)
        machine.configure.add_u32(HRUN_CONF_LAYER, machine.rig.add_layer("touch f" + std::to_string(i)));
    CHECK(machine.run_shell("ls -d /f* | wc -l").output == "19\n");
}

TEST_CASE("the mounts are those of a Docker container") {
    REQUIRE_RIG();
    Machine machine;
    Outcome outcome =
        machine.run_shell("awk '{print $2, $3, substr($4, 1, 2)}' /proc/mounts; ls /dev | tr '\\n' ' '");
    CHECK(outcome.output ==
          "/ overlay rw\n"
          "/proc proc rw\n"
          "/dev tmpfs rw\n"
          "/dev/pts devpts rw\n"
          "/dev/shm tmpfs rw\n"
          "/dev/mqueue mqueue rw\n"
          "/sys sysfs ro\n"
          "/sys/fs/cgroup cgroup2 ro\n"
          "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero ");
    CHECK(outcome.error == "");
}

TEST_CASE("the container sees its control group as the root") {
    REQUIRE_RIG();
    Machine machine;
    CHECK(machine.run_shell("cat /proc/self/cgroup | grep ^0; cat /sys/fs/cgroup/cgroup.procs | head -1")
              .output == "0::/\n1\n");
}

TEST_CASE("masked paths are empty, read-only paths refuse writes, missing ones are no error") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add_u32(
        HRUN_CONF_LAYER, machine.rig.add_layer("mkdir etc root; echo s > etc/secret; echo s > root/file"));
    machine.configure.add(HRUN_CONF_MASKED, "/etc/secret")
        .add(HRUN_CONF_MASKED, "/root")
        .add(HRUN_CONF_MASKED, "/no/such");
    machine.configure.add(HRUN_CONF_READONLY, "/tmp")
        .add(HRUN_CONF_READONLY, "/proc/sys")
        .add(HRUN_CONF_READONLY, "/no");
    Outcome outcome = machine.run_shell(
        "cat /etc/secret; ls -A /root; touch /root/x || echo masked; "
        "touch /tmp/x || echo ro; echo 1 > /proc/sys/kernel/panic || echo proc; touch /bin/x && echo rw");
    CHECK(outcome.output == "masked\nro\nproc\nrw\n");
}

TEST_CASE("tmpfs mounts take the options of mount(8)") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add(HRUN_CONF_MOUNT, fields({"tmpfs", "tmpfs", "/new/run",
                                                   "nosuid,nodev,noexec,size=64k,mode=1755,uid=5,gid=6"}));
    Outcome outcome = machine.run_shell(
        "stat -c '%a %u %g' /new/run; awk '$2 == \"/new/run\" {print substr($4, 1, 44)}' /proc/mounts");
    CHECK(outcome.output == "1755 5 6\nrw,nosuid,nodev,noexec,relatime,size=64k,mod\n");
}

TEST_CASE("a mount that the kernel refuses says which option") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add(HRUN_CONF_MOUNT, fields({"tmpfs", "tmpfs", "/x", "size=nonsense"}));
    Outcome outcome = machine.run_shell("true");
    CHECK(outcome.failure_head.kind == HRUN_ERROR_CONFIG);
    CHECK(outcome.failure.find("option \"size\"") != std::string::npos);
}

TEST_CASE("generated files, names and sysctls are in place, and a read-only root stays so") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add(HRUN_CONF_FILE, fields({"/etc/hosts", "127.0.0.1 localhost\n"}));
    machine.configure.add(HRUN_CONF_FILE, fields({"/deep/er/file", "content"}));
    machine.configure.add(HRUN_CONF_HOSTNAME, "box").add(HRUN_CONF_DOMAINNAME, "example");
    machine.configure.add(HRUN_CONF_SYSCTL, fields({"net.ipv4.ip_forward", "1"}));
    machine.configure.add(HRUN_CONF_SYSCTL, fields({"kernel.msgmax", "9999"}));
    machine.configure.add_u32(HRUN_CONF_FLAGS, HRUN_CONF_FLAG_READONLY_ROOT);
    machine.configure.add_u64(HRUN_CONF_SHM_SIZE, 1 << 20);
    Outcome outcome = machine.run_shell(
        "cat /etc/hosts /deep/er/file; echo; hostname; cat /proc/sys/kernel/domainname "
        "/proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax; touch /x || echo ro; "
        "echo more >> /etc/hosts && df -k /dev/shm | awk 'NR==2{print $2}'; ifconfig lo | grep -c UP");
    CHECK(outcome.output == "127.0.0.1 localhost\ncontent\nbox\nexample\n1\n9999\nro\n1024\n1\n");
}

TEST_CASE("an image's symbolic links lead nowhere outside its root") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add_u32(
        HRUN_CONF_LAYER,
        machine.rig.add_layer("ln -s / abs; ln -s ../../../../.. up; ln -s /proc/1/root magic"));
    machine.configure.add(HRUN_CONF_FILE, fields({"/abs/one", "a"}))
        .add(HRUN_CONF_FILE, fields({"/up/two", "b"}));
    machine.configure.add(HRUN_CONF_MOUNT, fields({"tmpfs", "tmpfs", "/up/../abs/three", ""}));
    CHECK(machine.run_shell("cat /one /two; grep -c /three /proc/mounts").output == "ab1\n");
}

TEST_CASE("an image whose /proc is a symbolic link is refused") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add_u32(HRUN_CONF_LAYER, machine.rig.add_layer("ln -s /etc proc"));
    Outcome outcome = machine.run_shell("true");
    CHECK(outcome.failure_head.kind == HRUN_ERROR_CONFIG);
    CHECK(outcome.failure.find("/proc") != std::string::npos);
}

TEST_CASE("a slot without a disk is an error that names it") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add_u32(HRUN_CONF_LAYER, 17);
    std::string text;
    try {
        machine.open();
    } catch (const std::exception& error) {
        text = error.what();
    }
    CHECK(text == "slot 17: the machine has no virtio-mmio.17: No such file or directory");
}

TEST_CASE("what was written is on the disk after SHUTDOWN, and the machine stops") {
    REQUIRE_RIG();
    Machine machine;
    machine.configure.add_u32(HRUN_CONF_WRITABLE, machine.rig.add_writable());
    Wire wire = machine.open();
    Command command{.arguments = {"sh", "-c",
                                  "echo kept > /root/file; dd if=/dev/zero of=/big bs=1M count=8 "
                                  "2>/dev/null; echo written; sleep 100"}};
    command.flags = HRUN_START_INIT_SESSION;
    wire.send(HRUN_START, start_tlvs(command).payload());
    wire.expect(HRUN_STARTED);
    CHECK(wire.expect(HRUN_DATA).payload == "written\n");
    Wire control = machine.open();
    control.send(HRUN_SHUTDOWN);
    CHECK(finish_session(wire).exit.code == 137);
    control.expect(HRUN_SHUTDOWN_DONE);
    std::string file = machine.rig.writable_file();
    CHECK(run_command("debugfs -R 'cat /upper/root/file' " + file + " 2>/dev/null") == "kept\n");
    CHECK(run_command("e2fsck -fn " + file + " 2>&1").find("clean") == std::string::npos);
    CHECK(run_command("dumpe2fs -h " + file + " 2>/dev/null | grep 'Filesystem state'").find("clean") !=
          std::string::npos);
    CHECK(!control.receive());
}
