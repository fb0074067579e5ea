// SPDX-License-Identifier: Apache-2.0
// vm.json: what the monitor is told about its VM (docs/monitor.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "jail/cgroup.h"
#include "monitor/health.h"
#include "monitor/restart_policy.h"
#include "net/address.h"
#include "net/port_map.h"
#include "net/rate_limits.h"

namespace hrun::monitor {

struct DiskConfig {
    unsigned slot;
    std::string path;
    bool read_only;
    bool exclusive; // no other machine may have it at the same time
};

// A directory or file of the host that the guest sees.
struct SharedPath {
    std::string path;
    bool read_only;
};

// What the guest's virtiofs device of tag kShareTag shows: entry N of the list under the name N.
struct ShareConfig {
    unsigned slot;
    std::string daemon; // virtiofsd
    std::vector<SharedPath> paths;
    bool cached = false; // the guest may keep names and attributes for a second
};

// What passt is told of an interface that it serves.
struct PasstConfig {
    std::string program;
    Ip gateway;  // IPv4, both
    Ip resolver; // leads to the host's DNS server
};

// An interface that others have made in a network namespace: its traffic is the machine's.
struct InsideConfig {
    std::string name_space; // path
    std::string interface;
};

constexpr uint32_t kMostQueuePairs = 8; // of a network interface

// A network interface: a tap interface of the host, port of a bridge, behind a virtio-net device; with `inside` one of that namespace; or with
// `passt` no interface of the host's.
struct NicConfig {
    unsigned slot;
    net::Mac mac;
    std::vector<net::Address> addresses; // that its packets may come from
    std::string bridge;                  // by name, and there already; empty with one of the last two, and
                                         // of a machine that has no container yet
    std::string tap;                     // made for the machine
    uint32_t
        queue_pairs; // of a tap interface: as many as the machine has vCPUs, up to kMostQueuePairs; else 1
    uint16_t mtu;
    net::Rates rates;
    std::optional<PasstConfig> passt;
    std::optional<InsideConfig> inside;
    std::string network;              // by name, where names are served; else empty
    std::vector<std::string> names;   // of the machine in it
    std::vector<std::string> servers; // that answer its questions for other names; none: the network's
};

// A port of the machine that is to be reached by one of the host's: the first of a range that is free, 0 to 0 for any.
struct PortRequest {
    uint8_t protocol; // IPPROTO_TCP or IPPROTO_UDP
    Ip host;          // 0.0.0.0, ::: every address of the host of this family
    uint16_t first_host_port;
    uint16_t last_host_port;
    std::optional<Ip> address; // of the same family; none as long as no network leads to the container
    uint16_t port;
    std::optional<Ip>
        address6; // the same port of every IPv6 address of the host leads to it too; with host 0.0.0.0
};

struct PortsConfig {
    std::string
        table; // of nf_tables, family inet, with the maps of net/port_map.h; empty where passt or a CNI network serves the ports
    std::vector<PortRequest> publish;
    bool held = false; // without a table: taken all the same, for nobody else is to have them
};

// The container whose machine and network are shared.
struct HostConfig {
    std::string directory;
    std::string name;
};

enum class Engine { kQemu, kKvm };

struct LogConfig {
    bool enabled = true;    // driver json-file; else none
    uint64_t max_bytes = 0; // 0: unlimited
    unsigned max_files = 1;
    std::map<std::string, std::string> attributes; // of every line
};

struct Config {
    std::string id;
    RestartPolicy restart;
    std::optional<HealthPolicy> health; // of a container that is probed
    jail::Resources resources;          // of the VM's control group
    Engine engine;
    std::string qemu_binary; // this and accel: of the qemu engine
    std::string accel;
    std::string kernel;
    std::string initrd;
    uint32_t vcpus;
    uint64_t memory_mib;
    std::vector<DiskConfig> disks;
    unsigned vsock_slot;
    uint64_t vsock_cid;
    unsigned rng_slot;
    unsigned balloon_slot;
    std::optional<ShareConfig> share;
    std::vector<NicConfig> nics;
    PortsConfig ports;
    LogConfig log;
    std::optional<HostConfig> host; // none: the container has a machine of its own
    bool tty;
    uint32_t stop_signal;
    bool auto_remove;
    uint32_t boot_timeout_ms;

    // True when a disk besides the container's own can be written: a volume, which stays.
    bool keeps_data() const;
};

// A client that sends this signal to the container's process wants it to end and to stay ended, as with `docker kill`.
bool ends_restarts(const Config& config, uint32_t signal);

// The configuration, or one line that says which field is wrong and how. Unknown fields are wrong too: both sides
// come from one build, so they are mistakes.
std::variant<Config, std::string> parse_config(std::string_view json);

} // namespace hrun::monitor
