// SPDX-License-Identifier: Apache-2.0
#include "qemu/command_line.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace hrun::qemu {
namespace {

Config sample() {
    Config config{
        "/usr/bin/qemu", "tcg", "/k/vmlinux", "/k/initrd", 1, 512, {{2, 8, false}, {3, 9, true}}, 0, 1};
    config.vsock_fd = 3;
    config.qmp_fd = 4;
    config.console_fd = 5;
    config.mp_table = "/mp-table";
    config.memory = "/fd/7";
    config.tsc_khz = 2500000;
    return config;
}

// The value behind the `n`th occurrence of an option.
std::string value_of(const std::vector<std::string>& words, const std::string& option, int n = 0) {
    for (size_t i = 0; i + 1 < words.size(); ++i)
        if (words[i] == option && n-- == 0)
            return words[i + 1];
    return "";
}

bool has(const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

TEST_CASE("a slot is named for the kernel with its number, address and interrupt") {
    CHECK(virtio_mmio_word(0) == "virtio_mmio.device=512@0xfeb00200:25:0");
    CHECK(virtio_mmio_word(22) == "virtio_mmio.device=512@0xfeb02e00:47:22");
}

TEST_CASE("the kernel is told of every slot, for what may come later too, and of the host's clock") {
    const std::string line = kernel_command_line(sample());
    for (unsigned slot = 0; slot < kSlots; ++slot)
        CHECK(line.find(virtio_mmio_word(slot)) != line.npos);
    CHECK(line.size() < 2048); // COMMAND_LINE_SIZE
    CHECK(line.find("tsc_early_khz=2500000") != line.npos);
    CHECK(line.find("mp_table=0x90c00") != line.npos);
}

TEST_CASE("a device's bus is the transport that the kernel was told of") {
    const auto words = command_line(sample());
    CHECK(has(words, "vhost-user-vsock-device,id=vsock0,chardev=vsock0,bus=virtio-mmio-bus.1"));
    CHECK(has(words, "virtio-rng-device,rng=rng,bus=virtio-mmio-bus.2"));
    CHECK(
        has(words, "virtio-balloon-device,free-page-reporting=on,deflate-on-oom=on,bus=virtio-mmio-bus.23"));
    CHECK(has(words, "virtio-blk-device,drive=disk2,bus=virtio-mmio-bus.3,werror=stop,rerror=report"));
    CHECK(has(words, "virtio-blk-device,drive=disk3,bus=virtio-mmio-bus.4"));
}

TEST_CASE("disks come by descriptor, only the writable one can be written, and its flushes count") {
    const auto words = command_line(sample());
    CHECK(value_of(words, "-add-fd", 0) == "fd=8,set=2");
    CHECK(value_of(words, "-add-fd", 1) == "fd=9,set=3");
    const std::string writable = value_of(words, "-blockdev", 0);
    CHECK(writable.find("filename=/dev/fdset/2") != writable.npos);
    CHECK(writable.find("read-only=off") != writable.npos);
    CHECK(writable.find("cache.no-flush=off") != writable.npos);
    CHECK(value_of(words, "-blockdev", 1).find("read-only=on") != std::string::npos);
}

TEST_CASE("what the host shares is one virtiofs device behind a socket") {
    Config config = sample();
    config.share_slot = 18;
    config.share_fd = 10;
    const auto words = command_line(config);
    CHECK(has(words, "socket,id=share,fd=10"));
    CHECK(has(words, "vhost-user-fs-device,id=share,chardev=share,bus=virtio-mmio-bus.19,tag=hrun"));
    CHECK(kernel_command_line(config).find(virtio_mmio_word(18)) != std::string::npos);
}

TEST_CASE("a network interface is a tap descriptor behind a device in its slot") {
    Config config = sample();
    config.nics = {{19, {11}, {0x02, 0x42, 0xac, 0x1f, 0, 2}, 1400}};
    const auto words = command_line(config);
    CHECK(value_of(words, "-netdev") == "tap,id=net19,fd=11,vhost=off");
    CHECK(
        has(words,
            "virtio-net-device,id=nic19,netdev=net19,mac=02:42:ac:1f:00:02,host_mtu=1400,ctrl_vq=off,mq=off,"
            "ctrl_rx=off,ctrl_rx_extra=off,ctrl_vlan=off,ctrl_mac_addr=off,ctrl_guest_offloads=off,guest_"
            "announce=off,"
            "bus=virtio-mmio-bus.20"));
    CHECK(kernel_command_line(config).find(virtio_mmio_word(19)) != std::string::npos);
    CHECK(value_of(command_line(sample()), "-netdev").empty());
}

TEST_CASE("of several queues of a network interface each has its descriptor, and the guest says how many it "
          "uses, no more") {
    Config config = sample();
    config.nics = {{19, {11, 12, 13}, {0x02, 0x42, 0xac, 0x1f, 0, 2}, 1400}};
    const auto words = command_line(config);
    CHECK(value_of(words, "-netdev") == "tap,id=net19,fds=11:12:13,vhost=off");
    const auto device = std::find_if(words.begin(), words.end(), [](const std::string& word) {
        return word.starts_with("virtio-net-device,");
    });
    REQUIRE(device != words.end());
    CHECK(device->find(",ctrl_vq=on,mq=on,ctrl_rx=off,ctrl_rx_extra=off,ctrl_vlan=off,ctrl_mac_addr=off,"
                       "ctrl_guest_offloads=off,guest_announce=off,") != std::string::npos);
    const auto plug = plug_nic_commands(config.nics[0]);
    REQUIRE(plug.size() == 6);
    for (size_t i = 0; i < 3; ++i)
        CHECK(plug[i] == R"({"execute":"getfd","arguments":{"fdname":"tap19.)" + std::to_string(i) + "\"}}");
    CHECK(plug[4] == R"({"execute":"netdev_add","arguments":{"type":"tap","id":"net19",)"
                     R"("fds":"tap19.0:tap19.1:tap19.2","vhost":false}})");
    CHECK(plug[5].find(R"("ctrl_vq":true,"mq":true,"ctrl_rx":false,)") != std::string::npos);
}

TEST_CASE("a network interface comes to a machine that runs, and goes, by its transport's handler") {
    CHECK(has(command_line(sample()), "virtio-scsi-device,bus=virtio-mmio-bus.0,id=plug"));
    const std::string handler =
        R"({"execute":"qom-set","arguments":{"path":"virtio-mmio-bus.21","property":"hotplug-handler","value":"plug.0"}})";
    const auto plug = plug_nic_commands({20, {-1}, {0x02, 0x42, 0xac, 0x1f, 0, 2}, 1400});
    REQUIRE(plug.size() == 4);
    CHECK(plug[0] == R"({"execute":"getfd","arguments":{"fdname":"tap20.0"}})");
    CHECK(plug[1] == handler);
    CHECK(plug[2] ==
          R"({"execute":"netdev_add","arguments":{"type":"tap","id":"net20","fd":"tap20.0","vhost":false}})");
    CHECK(plug[3].find(R"("host_mtu":1400,"ctrl_vq":false,"mq":false,"ctrl_rx":false,)") !=
          std::string::npos);
    CHECK(plug[3].ends_with(R"("guest_announce":false,"bus":"virtio-mmio-bus.21"}})"));
    const auto unplug = unplug_nic_commands(20);
    REQUIRE(unplug.size() == 3);
    CHECK(unplug[0] == handler);
    CHECK(unplug[1] == R"({"execute":"device_del","arguments":{"id":"nic20"}})");
    CHECK(unplug[2] == R"({"execute":"netdev_del","arguments":{"id":"net20"}})");
}

TEST_CASE("a disk that comes later is told by its slot, and its errors do not stop the machine") {
    const auto plug = plug_disk_commands({7, -1, true}, false);
    REQUIRE(plug.size() == 4);
    CHECK(plug[0] == R"({"execute":"add-fd","arguments":{"fdset-id":7}})");
    CHECK(plug[2] == R"({"execute":"blockdev-add","arguments":{"driver":"file","node-name":"disk7",)"
                     R"("filename":"/dev/fdset/7","locking":"off","read-only":true}})");
    CHECK(plug[3].find(R"("werror":"report","rerror":"report","bus":"virtio-mmio-bus.8")") !=
          std::string::npos);
    CHECK(plug_disk_commands({7, -1, false}, false)[2].find(R"("cache":{"no-flush":false})") !=
          std::string::npos);
    CHECK(plug_disk_commands({7, -1, false}, false)[3].find(R"("werror":"report")") != std::string::npos);
    CHECK(plug_disk_commands({7, -1, false}, true)[3].find(R"("werror":"stop")") != std::string::npos);
    CHECK(unplug_disk_commands(7)[1] == R"({"execute":"device_del","arguments":{"id":"blk7"}})");
    CHECK(close_disk_commands(7)[0] == R"({"execute":"blockdev-del","arguments":{"node-name":"disk7"}})");
    CHECK(forget_disk_commands(7)[0] == R"({"execute":"remove-fd","arguments":{"fdset-id":7}})");
}

TEST_CASE("QEMU is confined and starts with nothing of its own") {
    const auto words = command_line(sample());
    CHECK(words.front() == "/usr/bin/qemu");
    CHECK(value_of(words, "-sandbox").find("spawn=deny") != std::string::npos);
    for (const char* flag : {"-nodefaults", "-no-user-config", "-no-reboot"})
        CHECK(has(words, flag));
}

TEST_CASE("memory is shared, for the vhost-user back end maps it") {
    CHECK(value_of(command_line(sample()), "-object") ==
          "memory-backend-file,id=ram,share=on,mem-path=/fd/7,size=512M");
}

TEST_CASE("a copy has all disks of its template, empty ones where its container has none") {
    const auto count = [](const std::vector<std::string>& words, const std::string& part) {
        return std::count_if(words.begin(), words.end(),
                             [&part](const std::string& word) { return word.find(part) != word.npos; });
    };
    Config config = sample(); // it has disks in 2 and 3
    CHECK(count(command_line(config), "driver=null-co") == 0);
    config.role = Role::kCopy;
    const auto words = command_line(config);
    CHECK(count(words, "driver=null-co") == 3);
    CHECK(has(words, "driver=null-co,node-name=empty4,size=17592186044416,read-zeroes=on,read-only=on"));
    CHECK(has(words, "driver=raw,node-name=disk4,file=empty4,read-only=on"));
    CHECK(has(words, "virtio-blk-device,drive=disk4,bus=virtio-mmio-bus.5"));
    config.disks.clear();
    config.nics = {{5, {11}, {0x02, 0x42, 0xac, 0x1f, 0, 2}, 1500}};
    config.share_slot = 6;
    CHECK(has(command_line(config),
              "virtio-blk-device,drive=disk2,bus=virtio-mmio-bus.3,werror=stop,rerror=report"));
    CHECK(has(command_line(config), "driver=raw,node-name=disk2,file=empty2,read-only=off,discard=unmap"));
    CHECK(count(command_line(config), "driver=null-co") == 3);
    for (const PreparedDisk& disk : kPreparedDisks)
        CHECK(is_prepared(disk.slot));
    CHECK_FALSE(is_prepared(kFirstFreeSlot));
}

TEST_CASE("an empty disk is given a content behind its device") {
    const auto fill = fill_disk_commands({3, -1, true});
    REQUIRE(fill.size() == 4);
    CHECK(fill[0] == R"({"execute":"add-fd","arguments":{"fdset-id":3}})");
    CHECK(fill[1] == R"({"execute":"blockdev-add","arguments":{"driver":"file","node-name":"file3",)"
                     R"("filename":"/dev/fdset/3","locking":"off","read-only":true}})");
    CHECK(fill[2] == R"({"execute":"blockdev-reopen","arguments":{"options":[{"driver":"raw",)"
                     R"("node-name":"disk3","file":"file3","read-only":true}]}})");
    CHECK(fill[3] == R"({"execute":"blockdev-del","arguments":{"node-name":"empty3"}})");
    CHECK(fill_disk_commands({2, -1, false})[2].find(R"("read-only":false,"discard":"unmap")") !=
          std::string::npos);
}

TEST_CASE("a template has all slots and the devices that every machine has, and its memory is a file") {
    Config config = sample();
    config.role = Role::kTemplate;
    config.disks.clear();
    const auto words = command_line(config);
    CHECK(
        has(words, "virtio-balloon-device,free-page-reporting=on,deflate-on-oom=on,bus=virtio-mmio-bus.23"));
    CHECK_FALSE(has(words, "virtio-rng-device,rng=rng,bus=virtio-mmio-bus.2"));
    for (const PreparedDisk& disk : kPreparedDisks)
        CHECK(has(words, "driver=raw,node-name=disk" + std::to_string(disk.slot) + ",file=empty" +
                             std::to_string(disk.slot) +
                             (disk.read_only ? ",read-only=on" : ",read-only=off,discard=unmap")));
    CHECK(has(words, "memory-backend-file,id=ram,share=on,mem-path=/fd/7,size=512M"));
    CHECK(std::none_of(words.begin(), words.end(),
                       [](const std::string& word) { return word.find("vsock0") != word.npos; }));
    const std::string line = kernel_command_line(config);
    for (unsigned slot = 0; slot < kSlots; ++slot)
        CHECK(line.find(virtio_mmio_word(slot)) != line.npos);
    CHECK(line.ends_with(" -- --template 0"));
}

TEST_CASE("a template's interface does not say how long packets are, and the agent is told of its slot") {
    Config config = sample();
    config.role = Role::kTemplate;
    config.disks.clear();
    config.nics = {{kPreparedNic, {11}, {2, 0, 0, 0, 0, 0}, 0}};
    CHECK(has(command_line(config),
              "virtio-net-device,id=nic19,netdev=net19,mac=02:00:00:00:00:00,ctrl_vq=off,mq=off,"
              "ctrl_rx=off,ctrl_rx_extra=off,ctrl_vlan=off,ctrl_mac_addr=off,ctrl_guest_offloads=off,guest_"
              "announce=off,"
              "bus=virtio-mmio-bus.20"));
    CHECK(kernel_command_line(config).ends_with(" -- --template 0 --nic 19"));
    config.role = Role::kBooted;
    CHECK(kernel_command_line(config).find("--nic") == std::string::npos);
}

TEST_CASE("a copy boots nothing, waits for its state, and gets what QEMU cannot restore afterwards") {
    Config config = sample();
    config.role = Role::kCopy;
    config.share_slot = 18;
    config.share_fd = 10;
    const auto words = command_line(config);
    CHECK(value_of(words, "-incoming") == "defer");
    CHECK(value_of(words, "-kernel").empty());
    CHECK(has(words, "virtio-blk-device,drive=disk2,bus=virtio-mmio-bus.3,werror=stop,rerror=report"));
    CHECK(has(words, "socket,id=vsock0,fd=3"));
    CHECK(has(words, "socket,id=share,fd=10"));
    CHECK(std::none_of(words.begin(), words.end(),
                       [](const std::string& word) { return word.starts_with("vhost-user-"); }));
    const auto commands = plug_commands(config);
    REQUIRE(commands.size() == 4);
    CHECK(commands[1] ==
          R"({"execute":"device_add","arguments":{"driver":"vhost-user-vsock-device","id":"vsock0",)"
          R"("chardev":"vsock0",)"
          R"("bus":"virtio-mmio-bus.1"}})");
    CHECK(commands[3].find(R"("bus":"virtio-mmio-bus.19","tag":"hrun"}})") != std::string::npos);
}

TEST_CASE(
    "a machine is saved without its vsock device, and has another one afterwards, whose socket comes along") {
    Config config = sample();
    const auto before = suspend_commands(config);
    REQUIRE(before.size() == 3);
    CHECK(before[0] == R"({"execute":"stop"})");
    CHECK(before[2] == R"({"execute":"device_del","arguments":{"id":"vsock0"}})");
    ++config.vsock;
    const auto after = resume_commands(config);
    REQUIRE(after.size() == 5);
    CHECK(after[0] == R"({"execute":"getfd","arguments":{"fdname":"vsock1"}})");
    CHECK(after[1].find(R"("id":"vsock1","backend":{"type":"socket")") != std::string::npos);
    CHECK(after[3].find(R"("chardev":"vsock1","bus":"virtio-mmio-bus.1"}})") != std::string::npos);
    CHECK(after[4] == kRunCommand);
    CHECK(forget_vsock_commands(0)[0].find(R"("id":"vsock0")") != std::string::npos);
}

TEST_CASE("under KVM the guest gets the host's CPU and finds its own clock") {
    Config config = sample();
    config.accel = "kvm";
    const auto words = command_line(config);
    CHECK(value_of(words, "-accel") == "kvm");
    CHECK(value_of(words, "-cpu") == "host");
    CHECK(kernel_command_line(config).find("tsc_early_khz") == std::string::npos);
    CHECK(kernel_command_line(config).find("mitigations=off") == std::string::npos);
}

TEST_CASE("locks of a kernel for one CPU are left alone, those for more are not") {
    Config config = sample();
    CHECK(kernel_command_line(config).find("noreplace-smp") != std::string::npos);
    config.vcpus = 2;
    CHECK(kernel_command_line(config).find("noreplace-smp") == std::string::npos);
    CHECK(value_of(command_line(config), "-smp") == "2");
}

} // namespace
} // namespace hrun::qemu
