// SPDX-License-Identifier: Apache-2.0
#include "qemu/command_line.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "boot/x86_64/mp_table.h"

namespace hrun::qemu {

namespace {

// hw/i386/microvm.c: with ACPI (for the machine; the guest kernel has none) and ioapic2 there are 24 transports, all on
// the second I/O APIC. Without ACPI there are 8. The firmware's MP table leaves the second out, hence our own.
//
// Transport 0 is left out: hw/intc/ioapic.c moves pin 0 of every I/O APIC to pin 2, which only the first one's PIT wants.
constexpr unsigned kFirstTransport = 1;
// The name of a SCSI controller in the transport that is left out, for the sake of its bus alone.
constexpr char kPlugHandler[] = "plug";
constexpr uint64_t kVirtioMmioBase = 0xfeb00000;
constexpr unsigned kVirtioMmioSize = 512;
constexpr unsigned kVirtioIrqBase = 24;
constexpr unsigned kLocalApicTimerKhz = 1000000; // hw/intc/apic.c counts nanoseconds

std::string hex(uint64_t value) {
    char text[20];
    snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

std::string machine() {
    return "microvm,acpi=on,ioapic2=on,pit=off,pic=off,rtc=on,isa-serial=on,auto-kernel-cmdline=off,memory-"
           "backend=ram";
}

std::string transport_of(unsigned slot) {
    return "virtio-mmio-bus." + std::to_string(slot + kFirstTransport);
}

std::string bus(unsigned slot) {
    return "bus=" + transport_of(slot);
}

std::string handler_command(unsigned slot) {
    return R"({"execute":"qom-set","arguments":{"path":")" + transport_of(slot) +
           R"(","property":"hotplug-handler","value":")" + kPlugHandler + ".0\"}}";
}

class Words {
  public:
    explicit Words(std::string first) { words_.push_back(std::move(first)); }
    void option(const char* name, std::string value) {
        words_.emplace_back(name);
        words_.push_back(std::move(value));
    }
    void flag(const char* name) { words_.emplace_back(name); }
    std::vector<std::string> take() { return std::move(words_); }

  private:
    std::vector<std::string> words_;
};

// Shared, for the vhost-user back end maps it.
std::string memory(const Config& config) {
    return "memory-backend-file,id=ram,share=on,mem-path=" + config.memory + ",size=";
}

void add_machine(Words& words, const Config& config) {
    words.option("-machine", machine());
    words.option("-accel", config.accel == "kvm" ? "kvm" : "tcg,tb-size=256");
    // Without ERMS: TCG emulates `rep movsb` byte by byte, so the guest's kernel had better move words.
    words.option("-cpu", config.accel == "kvm" ? "host" : "max,-erms");
    words.option("-smp", std::to_string(config.vcpus));
    words.option("-m", std::to_string(config.memory_mib) + "M");
    words.option("-object", memory(config) + std::to_string(config.memory_mib) + "M");
    if (config.role != Role::kTemplate)
        words.option("-device", std::string("virtio-scsi-device,bus=virtio-mmio-bus.0,id=") + kPlugHandler);
    if (config.role == Role::kCopy || config.role == Role::kRehearsing) {
        words.option("-incoming", "defer"); // until Qmp::restore
        return;
    }
    words.option("-device", "loader,force-raw=on,file=" + config.mp_table + ",addr=" + hex(kMpTableAddress));
    words.option("-kernel", config.kernel);
    words.option("-initrd", config.initrd);
    words.option("-append", kernel_command_line(config));
}

// Of an empty disk, in bytes: any container's is smaller. A driver that took it has this size in mind; file systems have their own.
constexpr char kEmptyDiskSize[] = "17592186044416";

std::string empty_node(unsigned slot) {
    return "empty" + std::to_string(slot);
}

std::string file_node(unsigned slot) {
    return "file" + std::to_string(slot);
}

// werror=stop: a full host disk stops the VM and is reported, instead of the guest's file system breaking.
void add_disk_device(Words& words, unsigned slot, bool read_only) {
    words.option("-device", "virtio-blk-device,drive=" + disk_node(slot) + "," + bus(slot) +
                                (read_only ? "" : ",werror=stop,rerror=report"));
}

// Flushes of the guest reach the disk (cache.no-flush=off).
void add_disk(Words& words, const Disk& disk) {
    const std::string id = std::to_string(disk.slot);
    words.option("-add-fd", "fd=" + std::to_string(disk.fd) + ",set=" + id);
    words.option("-blockdev",
                 "driver=file,node-name=" + disk_node(disk.slot) + ",filename=/dev/fdset/" + id +
                     ",locking=off," +
                     (disk.read_only ? "read-only=on" : "read-only=off,discard=unmap,cache.no-flush=off"));
    add_disk_device(words, disk.slot, disk.read_only);
}

// The node that the device knows lets what is behind it be exchanged.
void add_empty_disk(Words& words, const PreparedDisk& disk) {
    const std::string access = disk.read_only ? ",read-only=on" : ",read-only=off";
    words.option("-blockdev", "driver=null-co,node-name=" + empty_node(disk.slot) +
                                  ",size=" + kEmptyDiskSize + ",read-zeroes=on" + access);
    words.option("-blockdev", "driver=raw,node-name=" + disk_node(disk.slot) + ",file=" +
                                  empty_node(disk.slot) + access + (disk.read_only ? "" : ",discard=unmap"));
    add_disk_device(words, disk.slot, disk.read_only);
}

bool is_taken(const Config& config, unsigned slot) {
    const auto there = [slot](const auto& device) { return device.slot == slot; };
    return std::any_of(config.disks.begin(), config.disks.end(), there) ||
           std::any_of(config.nics.begin(), config.nics.end(), there) || config.share_slot == slot;
}

// A device behind vhost-user; see plug_commands().
struct Peer {
    const char* driver;
    std::string name; // of device and character device
    const char* tag;  // of a file system; else null
    int fd;
    unsigned slot;
};

std::string vsock_name(unsigned number) {
    return "vsock" + std::to_string(number);
}

Peer vsock_peer(const Config& config) {
    return {"vhost-user-vsock-device", vsock_name(config.vsock), nullptr, config.vsock_fd, config.vsock_slot};
}

std::vector<Peer> peers(const Config& config) {
    std::vector<Peer> all{vsock_peer(config)};
    if (config.share_slot)
        all.push_back({"vhost-user-fs-device", "share", kShareTag, config.share_fd, *config.share_slot});
    return all;
}

void add_peer(Words& words, const Config& config, const Peer& peer) {
    words.option("-chardev", "socket,id=" + peer.name + ",fd=" + std::to_string(peer.fd));
    if (config.role == Role::kBooted)
        words.option("-device", std::string(peer.driver) + ",id=" + peer.name + ",chardev=" + peer.name +
                                    "," + bus(peer.slot) + (peer.tag ? std::string(",tag=") + peer.tag : ""));
}

void plug_peer(std::vector<std::string>& commands, const Peer& peer) {
    commands.push_back(handler_command(peer.slot));
    const std::string tag = peer.tag ? std::string(R"(,"tag":")") + peer.tag + '"' : "";
    commands.push_back(std::string(R"({"execute":"device_add","arguments":{"driver":")") + peer.driver +
                       R"(","id":")" + peer.name + R"(","chardev":")" + peer.name + R"(","bus":")" +
                       transport_of(peer.slot) + '"' + tag + "}}");
}

// The descriptor goes along with it.
std::string take_socket_command(const Peer& peer) {
    return R"({"execute":"getfd","arguments":{"fdname":")" + peer.name + "\"}}";
}

std::string open_socket_command(const Peer& peer) {
    return R"({"execute":"chardev-add","arguments":{"id":")" + peer.name +
           R"(","backend":{"type":"socket","data":{"addr":{"type":"fd","data":{"str":")" + peer.name +
           R"("}},"server":false}}}})";
}

std::string mac_text(const std::array<uint8_t, 6>& mac) {
    char text[18];
    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
    return text;
}

std::string netdev_id(unsigned slot) {
    return "net" + std::to_string(slot);
}

// Each name of what a control queue is for, and a comma, with `off` behind all but, of several queues, the number of those in use, which has
// `on`. The guest's driver waits for ever for an answer of a device that has been taken away: this it asks for only as it begins, or when
// somebody in the guest has it.
std::string control(const Nic& nic, const std::string& on, const std::string& off,
                    const std::string& quote = "") {
    std::string text;
    for (const char* name : {"ctrl_vq", "mq"})
        text += quote + name + quote + (nic.fds.size() > 1 ? on : off) + ",";
    for (const char* name :
         {"ctrl_rx", "ctrl_rx_extra", "ctrl_vlan", "ctrl_mac_addr", "ctrl_guest_offloads", "guest_announce"})
        text += quote + name + quote + off + ",";
    return text;
}

// A descriptor of a tap's queue, as QEMU knows it.
std::string tap_name(unsigned slot, size_t queue) {
    return "tap" + std::to_string(slot) + "." + std::to_string(queue);
}

// The name of each queue, as QEMU wants them: the key of a single one is another.
template <class Name> std::string joined(size_t queues, const Name& name) {
    std::string text = name(size_t{0});
    for (size_t queue = 1; queue < queues; ++queue)
        text += ":" + name(queue);
    return text;
}

const char* tap_key(const Nic& nic) {
    return nic.fds.size() > 1 ? "fds" : "fd";
}

std::string disk_id(unsigned slot) {
    return "blk" + std::to_string(slot);
}

std::string add_file_command(const Disk& disk) {
    return R"({"execute":"add-fd","arguments":{"fdset-id":)" + std::to_string(disk.slot) + "}}";
}

std::string open_file_command(const Disk& disk, const std::string& node) {
    return R"({"execute":"blockdev-add","arguments":{"driver":"file","node-name":")" + node +
           R"(","filename":"/dev/fdset/)" + std::to_string(disk.slot) + R"(","locking":"off",)" +
           (disk.read_only ? R"("read-only":true)"
                           : R"("read-only":false,"discard":"unmap","cache":{"no-flush":false})") +
           "}}";
}

std::string nic_id(unsigned slot) {
    return "nic" + std::to_string(slot);
}

// vhost is for hosts that have it: QEMU moves the packets itself.
void add_nic(Words& words, const Nic& nic) {
    const std::string id = netdev_id(nic.slot);
    const std::string fds =
        joined(nic.fds.size(), [&nic](size_t queue) { return std::to_string(nic.fds[queue]); });
    words.option("-netdev", nic.stream ? "stream,id=" + id + ",server=off,addr.type=fd,addr.str=" + fds
                                       : "tap,id=" + id + "," + tap_key(nic) + "=" + fds + ",vhost=off");
    words.option("-device", "virtio-net-device,id=" + nic_id(nic.slot) + ",netdev=" + id +
                                ",mac=" + mac_text(nic.mac) +
                                (nic.mtu > 0 ? ",host_mtu=" + std::to_string(nic.mtu) : "") + "," +
                                control(nic, "=on", "=off") + bus(nic.slot));
}

// What QEMU itself has to say, and what the guest says on its serial port.
void add_channels(Words& words, const Config& config) {
    words.option("-chardev", "socket,id=console,fd=" + std::to_string(config.console_fd));
    words.option("-serial", "chardev:console");
    words.option("-chardev", "socket,id=qmp,fd=" + std::to_string(config.qmp_fd));
    words.option("-mon", "chardev=qmp,mode=control");
}

void add_devices(Words& words, const Config& config) {
    if (config.role != Role::kTemplate) {
        for (const Peer& peer : peers(config))
            add_peer(words, config, peer);
    }
    if (config.role == Role::kBooted || config.role == Role::kCopy) {
        // A driver has random bytes in hand: of a template's all copies would have the same.
        words.option("-object", "rng-builtin,id=rng");
        words.option("-device", "virtio-rng-device,rng=rng," + bus(config.rng_slot));
    }
    // What the guest has freed is the host's again, in the memory file itself: the vhost-user back end maps the same.
    words.option("-device", "virtio-balloon-device,free-page-reporting=on,deflate-on-oom=on," +
                                bus(config.balloon_slot));
    for (const Disk& disk : config.disks)
        add_disk(words, disk);
    for (const PreparedDisk& disk : kPreparedDisks)
        if (config.role != Role::kBooted && !is_taken(config, disk.slot))
            add_empty_disk(words, disk);
    for (const Nic& nic : config.nics)
        add_nic(words, nic);
}

} // namespace

bool is_prepared(unsigned slot) {
    return std::any_of(std::begin(kPreparedDisks), std::end(kPreparedDisks),
                       [slot](const PreparedDisk& disk) { return disk.slot == slot; });
}

std::string disk_node(unsigned slot) {
    return "disk" + std::to_string(slot);
}

// The fourth field is the platform device's number: slot N is virtio-mmio.N in the guest whatever the order.
std::string virtio_mmio_word(unsigned slot) {
    const unsigned transport = slot + kFirstTransport;
    return "virtio_mmio.device=" + std::to_string(kVirtioMmioSize) + "@" +
           hex(kVirtioMmioBase + uint64_t{kVirtioMmioSize} * transport) + ":" +
           std::to_string(kVirtioIrqBase + transport) + ":" + std::to_string(slot);
}

std::string kernel_command_line(const Config& config) {
    std::string line =
        "console=ttyS0 loglevel=4 reboot=t panic=-1 tsc=reliable no_timer_check lapic_timer_khz=" +
        std::to_string(kLocalApicTimerKhz) + " mp_table=" + hex(kMpTableAddress + boot::kMpPointerOffset) +
        " fb_tunnels=none ifb.numifbs=0 dummy.numdummies=0";
    if (config.accel != "kvm") {
        line += " mitigations=off tsc_early_khz=" + std::to_string(config.tsc_khz);
        if (config.vcpus == 1)
            line += " noreplace-smp";
    }
    // All, empty or not: a template does not know what its copies will have, nor a machine what it will be given.
    for (unsigned slot = 0; slot < kSlots; ++slot)
        line += " " + virtio_mmio_word(slot);
    if (config.role == Role::kTemplate) {
        line += " -- --template " + std::to_string(config.vsock_slot);
        for (const Nic& nic : config.nics)
            line += " --nic " + std::to_string(nic.slot);
    }
    return line;
}

std::vector<std::string> command_line(const Config& config) {
    Words words(config.binary);
    words.flag("-nodefaults");
    words.flag("-no-user-config");
    words.flag("-no-reboot");
    words.option("-display", "none");
    words.option("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    words.option("-global", "virtio-mmio.force-legacy=off");
    words.option("-global",
                 "migration.announce-rounds=0"); // by the MAC address that a template's interface had
    add_machine(words, config);
    add_channels(words, config);
    add_devices(words, config);
    return words.take();
}

// A transport takes no device while the machine runs unless it has a handler for it. A SCSI bus is one that lets everything
// pass: see kPlugHandler.
std::vector<std::string> plug_commands(const Config& config) {
    std::vector<std::string> commands;
    for (const Peer& peer : peers(config))
        plug_peer(commands, peer);
    return commands;
}

const char kRunCommand[] = R"({"execute":"cont"})";

std::vector<std::string> suspend_commands(const Config& config) {
    return {R"({"execute":"stop"})", handler_command(config.vsock_slot),
            R"({"execute":"device_del","arguments":{"id":")" + vsock_name(config.vsock) + "\"}}"};
}

std::vector<std::string> resume_commands(const Config& config) {
    const Peer peer = vsock_peer(config);
    std::vector<std::string> commands{take_socket_command(peer), open_socket_command(peer)};
    plug_peer(commands, peer);
    commands.emplace_back(kRunCommand);
    return commands;
}

std::vector<std::string> forget_vsock_commands(unsigned vsock) {
    return {R"({"execute":"chardev-remove","arguments":{"id":")" + vsock_name(vsock) + "\"}}"};
}

std::vector<std::string> thaw_commands(const Config& config) {
    std::vector<std::string> commands;
    for (const Peer& peer : peers(config))
        commands.push_back(take_socket_command(peer));
    for (const Peer& peer : peers(config)) {
        commands.push_back(open_socket_command(peer));
        plug_peer(commands, peer);
    }
    commands.emplace_back(R"({"execute":"object-add","arguments":{"qom-type":"rng-builtin","id":"rng"}})");
    commands.push_back(handler_command(config.rng_slot));
    commands.push_back(
        R"({"execute":"device_add","arguments":{"driver":"virtio-rng-device","rng":"rng","bus":")" +
        transport_of(config.rng_slot) + "\"}}");
    commands.emplace_back(kRunCommand);
    return commands;
}

std::vector<std::string> plug_nic_commands(const Nic& nic) {
    const std::string netdev = netdev_id(nic.slot);
    const auto name = [&nic](size_t queue) { return tap_name(nic.slot, queue); };
    std::vector<std::string> commands;
    for (size_t queue = 0; queue < nic.fds.size(); ++queue)
        commands.push_back(R"({"execute":"getfd","arguments":{"fdname":")" + name(queue) + "\"}}");
    commands.push_back(handler_command(nic.slot));
    commands.push_back(R"({"execute":"netdev_add","arguments":{"type":"tap","id":")" + netdev + R"(",")" +
                       tap_key(nic) + R"(":")" + joined(nic.fds.size(), name) + R"(","vhost":false}})");
    commands.push_back(R"({"execute":"device_add","arguments":{"driver":"virtio-net-device","id":")" +
                       nic_id(nic.slot) + R"(","netdev":")" + netdev + R"(","mac":")" + mac_text(nic.mac) +
                       R"(","host_mtu":)" + std::to_string(nic.mtu) + "," +
                       control(nic, ":true", ":false", "\"") + R"("bus":")" + transport_of(nic.slot) +
                       "\"}}");
    return commands;
}

std::vector<std::string> unplug_nic_commands(unsigned slot) {
    return {handler_command(slot), R"({"execute":"device_del","arguments":{"id":")" + nic_id(slot) + "\"}}",
            R"({"execute":"netdev_del","arguments":{"id":")" + netdev_id(slot) + "\"}}"};
}

std::vector<std::string> plug_disk_commands(const Disk& disk, bool own) {
    return {add_file_command(disk), handler_command(disk.slot), open_file_command(disk, disk_node(disk.slot)),
            R"({"execute":"device_add","arguments":{"driver":"virtio-blk-device","id":")" +
                disk_id(disk.slot) + R"(","drive":")" + disk_node(disk.slot) + R"(","werror":")" +
                (own && !disk.read_only ? "stop" : "report") + R"(","rerror":"report","bus":")" +
                transport_of(disk.slot) + "\"}}"};
}

std::vector<std::string> fill_disk_commands(const Disk& disk) {
    const std::string access =
        disk.read_only ? R"("read-only":true)" : R"("read-only":false,"discard":"unmap")";
    return {add_file_command(disk), open_file_command(disk, file_node(disk.slot)),
            R"({"execute":"blockdev-reopen","arguments":{"options":[{"driver":"raw","node-name":")" +
                disk_node(disk.slot) + R"(","file":")" + file_node(disk.slot) + "\"," + access + "}]}}",
            R"({"execute":"blockdev-del","arguments":{"node-name":")" + empty_node(disk.slot) + "\"}}"};
}

std::vector<std::string> unplug_disk_commands(unsigned slot) {
    return {handler_command(slot), R"({"execute":"device_del","arguments":{"id":")" + disk_id(slot) + "\"}}"};
}

std::vector<std::string> close_disk_commands(unsigned slot) {
    return {R"({"execute":"blockdev-del","arguments":{"node-name":")" + disk_node(slot) + "\"}}"};
}

std::vector<std::string> forget_disk_commands(unsigned slot) {
    return {R"({"execute":"remove-fd","arguments":{"fdset-id":)" + std::to_string(slot) + "}}"};
}

} // namespace hrun::qemu
