// SPDX-License-Identifier: Apache-2.0
// QEMU's microvm machine for one guest, as an argument vector. Pure: the same configuration gives the same words.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hrun::qemu {

constexpr unsigned kSlots = 23; // slot N is the machine's virtio-mmio transport N + 1, see command_line.cc
constexpr char kShareTag[] = "hrun";          // by which the guest mounts the virtiofs device
constexpr uint64_t kMpTableAddress = 0x90000; // where Config::mp_table goes: below all that firmware touches

struct Disk {
    unsigned slot;
    int fd; // opened as the access asks for: QEMU compares
    bool read_only;
};

// Disks that a template has, so that its copies' driver has taken them already: the one that is written, and the lowest layers. Where a
// copy's container has none the disk is an empty one, to be filled later.
struct PreparedDisk {
    unsigned slot;
    bool read_only;
};
constexpr PreparedDisk kPreparedDisks[] = {{2, false}, {3, true}, {4, true}, {5, true}, {6, true}};
// Of a template that has an interface: that of its copies' first one.
constexpr unsigned kPreparedNic = 19;
// Slots from here on are empty unless something is put there.
constexpr unsigned kFirstFreeSlot = 7;
bool is_prepared(unsigned slot);

struct Nic {
    unsigned slot;
    std::vector<int> fds; // of each queue of a tap with IFF_VNET_HDR, or of a stream socket
    std::array<uint8_t, 6> mac;
    uint16_t mtu;        // that the guest's driver is told to go by; 0: it takes any
    bool stream = false; // each packet after its length, as passt has it
};

// The node in a slot, as QEMU's events name it.
std::string disk_node(unsigned slot);

// Templates (docs/templates.md): a machine that is nobody's is booted once, and saved; its copies have more devices, and no kernel to boot. One of
// them rehearses, and its process is saved too (docs/frozen.md); of this process others are copies that have no command line.
enum class Role { kBooted, kTemplate, kCopy, kRehearsing, kThawed };

// Descriptors are numbers in QEMU's process, see Process; paths are those that it sees.
struct Config {
    std::string binary;
    std::string accel; // "tcg" or "kvm"
    std::string kernel;
    std::string initrd;
    uint32_t vcpus = 1;
    uint64_t memory_mib = 512;
    std::vector<Disk> disks;
    unsigned vsock_slot = 0;
    unsigned rng_slot = 1;
    unsigned balloon_slot = 22;
    std::string mp_table;               // path of a file: boot::mp_table for kMpTableAddress
    std::optional<unsigned> share_slot; // a virtiofs device
    int share_fd = -1;                  // vhost-user socket of its daemon
    std::vector<Nic> nics;
    int vsock_fd = -1;    // vhost-user socket
    int qmp_fd = -1;      // socket
    int console_fd = -1;  // socket: the guest's ttyS0
    uint64_t tsc_khz = 0; // of the guest's time stamp counter
    Role role = Role::kBooted;
    std::string memory; // path of the file that is its memory
    unsigned vsock = 0; // how often the vsock device was another before
};

// The word for the kernel that names a virtio-mmio slot of this machine: "virtio_mmio.device=...".
std::string virtio_mmio_word(unsigned slot);

// The guest kernel's whole command line.
std::string kernel_command_line(const Config& config);

// argv of QEMU, its name first.
std::vector<std::string> command_line(const Config& config);

// What a copy is told over QMP once it has its template's state: the devices whose own state QEMU cannot save, and beside which
// it loads none (vhost-user-vsock, vhost-user-fs; "unmigratable" in its sources), are plugged into their transports.
std::vector<std::string> plug_commands(const Config& config);

// Before the machine is saved: takes the vsock device away, whatever the guest makes of it, and stops.
std::vector<std::string> suspend_commands(const Config& config);
// Afterwards: another one behind the socket that goes along with the first command, `config.vsock` one more than before; then it runs.
std::vector<std::string> resume_commands(const Config& config);
// Then, until it is not refused, for the device is destroyed a moment later: lets go of the socket of a vsock device that is gone, by its number.
std::vector<std::string> forget_vsock_commands(unsigned vsock);
// What a process that was saved so has to be told: about the devices that are the machine's own. Their sockets go along with the first commands,
// one each, in the order of vsock and share. Then it runs.
std::vector<std::string> thaw_commands(const Config& config);
extern const char kRunCommand[];

// What puts a network interface into an empty slot of a machine that runs; the queues of its tap, as many as Nic::fds, whose numbers mean
// nothing, go along with the first commands, one each.
std::vector<std::string> plug_nic_commands(const Nic& nic);
// What takes it, or one that the machine was started with, away. The guest had better have let go of it.
std::vector<std::string> unplug_nic_commands(unsigned slot);

// The same of a disk. Of one that is the machine's `own` an error that the guest could not be told stops the machine; another
// container's is no reason to.
std::vector<std::string> plug_disk_commands(const Disk& disk, bool own);
std::vector<std::string> unplug_disk_commands(unsigned slot);
// The same of a copy's prepared disk that is empty: it has been there all the time, and has a content from then on.
std::vector<std::string> fill_disk_commands(const Disk& disk);
// Then, until it is not refused, for the device is destroyed a moment later: lets go of its file.
std::vector<std::string> close_disk_commands(unsigned slot);
// And of the descriptor.
std::vector<std::string> forget_disk_commands(unsigned slot);

} // namespace hrun::qemu
