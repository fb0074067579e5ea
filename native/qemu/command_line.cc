// SPDX-License-Identifier: Apache-2.0
#include "qemu/command_line.h"

#include <cstdio>

#include "boot/x86_64/mp_table.h"

namespace hrun::qemu {

namespace {

// hw/i386/microvm.c: with ACPI (for the machine; the guest kernel has none) and ioapic2 there are 24 transports, all on
// the second I/O APIC. Without ACPI there are 8. The firmware's MP table leaves the second out, hence our own.
//
// Transport 0 is left out: hw/intc/ioapic.c moves pin 0 of every I/O APIC to pin 2, which only the first one's PIT wants.
constexpr unsigned kFirstTransport = 1;
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

std::string bus(unsigned slot) {
    return "bus=virtio-mmio-bus." + std::to_string(slot + kFirstTransport);
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

void add_machine(Words& words, const Config& config) {
    words.option("-machine", machine());
    words.option("-accel", config.accel == "kvm" ? "kvm" : "tcg,tb-size=256");
    // Without ERMS: TCG emulates `rep movsb` byte by byte, so the guest's kernel had better move words.
    words.option("-cpu", config.accel == "kvm" ? "host" : "max,-erms");
    words.option("-smp", std::to_string(config.vcpus));
    words.option("-m", std::to_string(config.memory_mib) + "M");
    // Shared, for the vhost-user back end maps it; sealed by default, for it insists on that.
    words.option("-object",
                 "memory-backend-memfd,id=ram,share=on,size=" + std::to_string(config.memory_mib) + "M");
    words.option("-device", "loader,force-raw=on,file=" + config.mp_table + ",addr=" + hex(kMpTableAddress));
    words.option("-kernel", config.kernel);
    words.option("-initrd", config.initrd);
    words.option("-append", kernel_command_line(config));
}

// Flushes of the guest reach the disk (cache.no-flush=off). werror=stop: a full host disk stops the VM and is
// reported, instead of the guest's file system breaking.
void add_disk(Words& words, const Disk& disk) {
    const std::string id = std::to_string(disk.slot);
    words.option("-add-fd", "fd=" + std::to_string(disk.fd) + ",set=" + id);
    words.option("-blockdev",
                 "driver=file,node-name=disk" + id + ",filename=/dev/fdset/" + id + ",locking=off," +
                     (disk.read_only ? "read-only=on" : "read-only=off,discard=unmap,cache.no-flush=off"));
    words.option("-device", "virtio-blk-device,drive=disk" + id + "," + bus(disk.slot) +
                                (disk.read_only ? "" : ",werror=stop,rerror=report"));
}

void add_share(Words& words, const Config& config) {
    words.option("-chardev", "socket,id=share,fd=" + std::to_string(config.share_fd));
    words.option("-device", std::string("vhost-user-fs-device,chardev=share,tag=") + kShareTag + "," +
                                bus(*config.share_slot));
}

std::string mac_text(const std::array<uint8_t, 6>& mac) {
    char text[18];
    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
    return text;
}

// vhost is for hosts that have it: QEMU moves the packets itself. One pair of queues and no way to change the MAC address.
void add_nic(Words& words, const Nic& nic) {
    const std::string id = "net" + std::to_string(nic.slot);
    words.option("-netdev", "tap,id=" + id + ",fd=" + std::to_string(nic.tap_fd) + ",vhost=off");
    words.option("-device", "virtio-net-device,netdev=" + id + ",mac=" + mac_text(nic.mac) + ",host_mtu=" +
                                std::to_string(nic.mtu) + ",mq=off,ctrl_mac_addr=off," + bus(nic.slot));
}

void add_devices(Words& words, const Config& config) {
    words.option("-global", "virtio-mmio.force-legacy=off");
    words.option("-chardev", "socket,id=vsock,fd=" + std::to_string(config.vsock_fd));
    words.option("-device", "vhost-user-vsock-device,chardev=vsock," + bus(config.vsock_slot));
    words.option("-object", "rng-builtin,id=rng");
    words.option("-device", "virtio-rng-device,rng=rng," + bus(config.rng_slot));
    // What the guest has freed is the host's again, in the memory file itself: the vhost-user back end maps the same.
    words.option("-device", "virtio-balloon-device,free-page-reporting=on,deflate-on-oom=on," +
                                bus(config.balloon_slot));
    for (const Disk& disk : config.disks)
        add_disk(words, disk);
    if (config.share_slot)
        add_share(words, config);
    for (const Nic& nic : config.nics)
        add_nic(words, nic);
    words.option("-chardev", "socket,id=console,fd=" + std::to_string(config.console_fd));
    words.option("-serial", "chardev:console");
    words.option("-chardev", "socket,id=qmp,fd=" + std::to_string(config.qmp_fd));
    words.option("-mon", "chardev=qmp,mode=control");
}

} // namespace

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
    line += " " + virtio_mmio_word(config.vsock_slot) + " " + virtio_mmio_word(config.rng_slot) + " " +
            virtio_mmio_word(config.balloon_slot);
    for (const Disk& disk : config.disks)
        line += " " + virtio_mmio_word(disk.slot);
    if (config.share_slot)
        line += " " + virtio_mmio_word(*config.share_slot);
    for (const Nic& nic : config.nics)
        line += " " + virtio_mmio_word(nic.slot);
    return line;
}

std::vector<std::string> command_line(const Config& config) {
    Words words(config.binary);
    words.flag("-nodefaults");
    words.flag("-no-user-config");
    words.flag("-no-reboot");
    words.option("-display", "none");
    words.option("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    add_machine(words, config);
    add_devices(words, config);
    return words.take();
}

} // namespace hrun::qemu
