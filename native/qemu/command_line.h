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

struct Nic {
    unsigned slot;
    int tap_fd; // with IFF_VNET_HDR
    std::array<uint8_t, 6> mac;
    uint16_t mtu;
};

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
};

// The word for the kernel that names a virtio-mmio slot of this machine: "virtio_mmio.device=...".
std::string virtio_mmio_word(unsigned slot);

// The guest kernel's whole command line.
std::string kernel_command_line(const Config& config);

// argv of QEMU, its name first.
std::vector<std::string> command_line(const Config& config);

} // namespace hrun::qemu
