// SPDX-License-Identifier: Apache-2.0
#include "monitor/config.h"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <set>

#include "monitor/config_reader.h"

namespace hrun::monitor {

namespace {

using Reader = ConfigReader;

constexpr uint64_t kMaxVcpus = 32;
constexpr uint64_t kMaxMemoryMib = 1 << 20;
constexpr uint64_t kFirstGuestCid = 3;
constexpr uint64_t kLastSignal = 64;
constexpr uint64_t kLeastCpuMax = 1000; // the kernel takes no smaller quota
constexpr uint64_t kLeastCpuPeriod = 1000, kMostCpuPeriod = 1000000;
constexpr uint64_t kLeastCpuShares = 2, kMostCpuShares = 262144;
constexpr size_t kMaxSharedPaths = 1024;
constexpr uint64_t kLeastMtu = 68; // RFC 791
constexpr uint64_t kMostMtu = 65535;

std::vector<DiskConfig> read_disks(Reader& reader, std::string& mistake) {
    std::vector<DiskConfig> disks;
    size_t index = 0;
    for (const Json& entry : reader.array("disks")) {
        Reader disk(entry, "disks[" + std::to_string(index++) + "].", mistake);
        DiskConfig config{disk.slot("slot"), disk.absolute_path("path"), disk.boolean("readOnly"), false};
        config.exclusive = disk.has("exclusive") ? disk.boolean("exclusive") : !config.read_only;
        disks.push_back(std::move(config));
        disk.finish();
    }
    return disks;
}

// Optional: most containers share nothing with the host.
std::optional<ShareConfig> read_share(Reader& reader, std::string& mistake) {
    if (!reader.has("share"))
        return std::nullopt;
    Reader share = reader.object("share");
    ShareConfig config{share.slot("slot"), share.absolute_path("daemon"), {}, false};
    const Json& paths = share.array("paths");
    if (paths.size() > kMaxSharedPaths)
        share.fail("paths", "has more than " + std::to_string(kMaxSharedPaths) + " entries");
    for (size_t i = 0; i < paths.size() && i < kMaxSharedPaths; ++i) {
        Reader path(paths[i], "share.paths[" + std::to_string(i) + "].", mistake);
        config.paths.push_back({path.any_path("path"), path.boolean("readOnly")});
        path.finish();
    }
    config.cached = share.has("cached") && share.boolean("cached");
    share.finish();
    return config;
}

// A tap interface that is a port of a bridge or wired to one inside of a namespace, or nobody's yet; or passt.
void read_host_side(Reader& nic, NicConfig& config) {
    const auto rate = [&nic](const char* key) { return nic.has(key) ? nic.number(key, 1, INT64_MAX) : 0; };
    if (!nic.has("passt")) {
        config.tap = nic.interface_name("tap");
        if (nic.has("inside")) {
            Reader inside = nic.object("inside");
            config.inside = {inside.any_path("namespace"), inside.interface_name("interface")};
            inside.finish();
        } else if (nic.has("bridge")) {
            config.bridge = nic.interface_name("bridge");
        }
        config.rates = {rate("inBps"), rate("outBps")};
        return;
    }
    Reader passt = nic.object("passt");
    config.passt = {passt.absolute_path("program"), passt.ip("gateway", AF_INET),
                    passt.ip("resolver", AF_INET)};
    passt.finish();
    if (config.addresses.size() != 1 || config.addresses[0].family != AF_INET)
        nic.fail("addresses", "must be one IPv4 address with passt");
}

// Optional: without any, the guest has its loopback.
std::vector<NicConfig> read_nics(Reader& reader, uint32_t vcpus, std::string& mistake) {
    std::vector<NicConfig> nics;
    if (!reader.has("nics"))
        return nics;
    for (const Json& entry : reader.array("nics")) {
        Reader nic(entry, "nics[" + std::to_string(nics.size()) + "].", mistake);
        NicConfig config{};
        config.slot = nic.slot("slot");
        config.mac = nic.mac("mac");
        config.addresses = nic.addresses("addresses");
        config.mtu = static_cast<uint16_t>(nic.number("mtu", kLeastMtu, kMostMtu));
        read_host_side(nic, config);
        config.queue_pairs = config.passt ? 1 : std::min(vcpus, kMostQueuePairs);
        nics.push_back(std::move(config));
        if (nic.has("names")) {
            Reader names = nic.object("names");
            nics.back().network = names.file_name("network");
            nics.back().names = names.words("names");
            nics.back().servers = names.words("servers");
            names.finish();
        }
        nic.finish();
    }
    return nics;
}

PortRequest read_port(const Json& entry, size_t index, std::string& mistake) {
    Reader port(entry, "ports.publish[" + std::to_string(index) + "].", mistake);
    const bool tcp = port.one_of("protocol", {"tcp", "udp"}) == "tcp";
    const auto number = [&port](const char* key, uint64_t least) {
        return static_cast<uint16_t>(port.number(key, least, UINT16_MAX));
    };
    PortRequest request{static_cast<uint8_t>(tcp ? IPPROTO_TCP : IPPROTO_UDP),
                        port.ip("host"),
                        number("firstHostPort", 0),
                        number("lastHostPort", 0),
                        std::nullopt,
                        number("port", 1),
                        std::nullopt};
    if (port.has("address"))
        request.address = port.ip("address");
    if (request.address && request.address->family != request.host.family)
        port.fail("address", "must be of the family of host");
    if (port.has("address6")) {
        request.address6 = port.ip("address6", AF_INET6);
        if (request.host != Ip{})
            port.fail("address6", "goes with host 0.0.0.0 only");
    }
    if (request.last_host_port < request.first_host_port ||
        (request.first_host_port == 0 && request.last_host_port != 0))
        port.fail("lastHostPort", "must not be below firstHostPort, and 0 if that is");
    port.finish();
    return request;
}

// Optional: most containers publish nothing.
PortsConfig read_ports(Reader& reader, std::string& mistake) {
    PortsConfig config;
    if (!reader.has("ports"))
        return config;
    Reader ports = reader.object("ports");
    if (ports.has("table"))
        config.table = ports.text("table");
    config.held = ports.has("held") && ports.boolean("held");
    const Json& publish = ports.array("publish");
    if (publish.size() > net::kMaxPortMappings)
        ports.fail("publish", "has more than " + std::to_string(net::kMaxPortMappings) + " entries");
    for (size_t i = 0; i < publish.size() && i < net::kMaxPortMappings; ++i)
        config.publish.push_back(read_port(publish[i], i, mistake));
    ports.finish();
    return config;
}

void check_slots(Reader& reader, const Config& config) {
    std::set<unsigned> used{config.vsock_slot};
    bool distinct = used.insert(config.rng_slot).second && used.insert(config.balloon_slot).second;
    for (const DiskConfig& disk : config.disks)
        distinct = used.insert(disk.slot).second && distinct;
    if (config.share)
        distinct = used.insert(config.share->slot).second && distinct;
    for (const NicConfig& nic : config.nics)
        distinct = used.insert(nic.slot).second && distinct;
    if (!distinct)
        reader.fail("slot", "is used twice");
}

// A `qemu` object belongs to that engine alone: for the other it is an unknown field.
void read_engine(Reader& reader, Config& config) {
    config.engine = reader.one_of("engine", {"qemu", "kvm"}) == "kvm" ? Engine::kKvm : Engine::kQemu;
    if (config.engine == Engine::kKvm)
        return;
    Reader qemu = reader.object("qemu");
    config.qemu_binary = qemu.absolute_path("binary");
    config.accel = qemu.one_of("accel", {"tcg", "kvm"});
    qemu.finish();
}

void read_devices(Reader& reader, Config& config, std::string& mistake) {
    config.disks = read_disks(reader, mistake);
    Reader vsock = reader.object("vsock");
    config.vsock_slot = vsock.slot("slot");
    config.vsock_cid = vsock.number("cid", kFirstGuestCid, UINT32_MAX - 1);
    vsock.finish();
    Reader rng = reader.object("rng");
    config.rng_slot = rng.slot("slot");
    rng.finish();
    Reader balloon = reader.object("balloon");
    config.balloon_slot = balloon.slot("slot");
    balloon.finish();
    config.share = read_share(reader, mistake);
    config.nics = read_nics(reader, config.vcpus, mistake);
    config.ports = read_ports(reader, mistake);
    check_slots(reader, config);
}

LogConfig read_log(Reader& reader) {
    Reader log = reader.object("log");
    LogConfig config;
    config.enabled = log.one_of("driver", {"json-file", "none"}) == "json-file";
    config.max_bytes = log.number("maxBytes", 0, INT64_MAX);
    config.max_files = static_cast<unsigned>(log.number("maxFiles", 1, 1000));
    if (log.has("attributes"))
        config.attributes = log.texts("attributes");
    log.finish();
    return config;
}

bool consists_of(const std::string& text, const char* characters) {
    return !text.empty() && text.find_first_not_of(characters) == std::string::npos;
}

jail::DeviceLimits read_device(const Json& entry, size_t index, std::string& mistake) {
    Reader device(entry, "resources.devices[" + std::to_string(index) + "].", mistake);
    const auto limit = [&device](const char* key) {
        return device.has(key) ? device.number(key, 1, INT64_MAX) : 0;
    };
    jail::DeviceLimits limits{device.text("device"), limit("readBps"), limit("writeBps"), limit("readIops"),
                              limit("writeIops")};
    if (!consists_of(limits.device, "0123456789:"))
        device.fail("device", "must be major:minor");
    device.finish();
    return limits;
}

// Absent as a whole or in part: no limit.
jail::Resources read_resources(Reader& reader, std::string& mistake) {
    jail::Resources resources;
    if (!reader.has("resources"))
        return resources;
    Reader object = reader.object("resources");
    const auto limit = [&object](const char* key, uint64_t least) {
        return object.has(key) ? object.number(key, least, INT64_MAX) : 0;
    };
    resources.memory_max = limit("memoryMax", 1);
    resources.cpu_max = limit("cpuMax", kLeastCpuMax);
    if (object.has("cpuPeriod"))
        resources.cpu_period = object.number("cpuPeriod", kLeastCpuPeriod, kMostCpuPeriod);
    if (object.has("cpuShares"))
        resources.cpu_shares = object.number("cpuShares", kLeastCpuShares, kMostCpuShares);
    resources.pids_max = limit("pidsMax", 1);
    if (object.has("swapMax"))
        resources.swap_max = object.number("swapMax", 0, INT64_MAX);
    if (object.has("cpus") && !consists_of(resources.cpus = object.text("cpus"), "0123456789-,"))
        object.fail("cpus", "must be a list such as 0-2,7");
    if (object.has("devices"))
        for (const Json& entry : object.array("devices"))
            resources.devices.push_back(read_device(entry, resources.devices.size(), mistake));
    object.finish();
    return resources;
}

// Absent: the container is not probed.
std::optional<HealthPolicy> read_health(Reader& reader) {
    if (!reader.has("health"))
        return std::nullopt;
    Reader object = reader.object("health");
    const auto time = [&object](const char* key, uint64_t least) {
        return std::chrono::milliseconds(object.number(key, least, INT32_MAX));
    };
    const HealthPolicy policy{time("intervalMs", 1), time("timeoutMs", 1), time("startPeriodMs", 0),
                              time("startIntervalMs", 1),
                              static_cast<uint32_t>(object.number("retries", 1, UINT32_MAX))};
    object.finish();
    return policy;
}

// Absent: the container has a machine of its own.
std::optional<HostConfig> read_host(Reader& reader) {
    if (!reader.has("joins"))
        return std::nullopt;
    Reader object = reader.object("joins");
    HostConfig config{object.any_path("directory"), object.text("name")};
    object.finish();
    return config;
}

// Absent: never.
RestartPolicy read_restart(Reader& reader, bool auto_remove) {
    using When = RestartPolicy::When;
    RestartPolicy policy;
    if (!reader.has("restart"))
        return policy;
    Reader object = reader.object("restart");
    const std::string when = object.one_of("policy", {"no", "on-failure", "always", "unless-stopped"});
    policy.when = when == "on-failure"       ? When::kOnFailure
                  : when == "always"         ? When::kAlways
                  : when == "unless-stopped" ? When::kUnlessStopped
                                             : When::kNo;
    policy.maximum_retries = static_cast<uint32_t>(object.number("maximumRetries", 0, UINT32_MAX));
    object.finish();
    if (auto_remove && policy.when != When::kNo)
        reader.fail("restart", "contradicts autoRemove");
    return policy;
}

} // namespace

bool ends_restarts(const Config& config, uint32_t signal) {
    return signal == SIGKILL || signal == config.stop_signal;
}

bool Config::keeps_data() const {
    return std::count_if(disks.begin(), disks.end(), [](const DiskConfig& disk) { return !disk.read_only; }) >
           1;
}

std::variant<Config, std::string> parse_config(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded())
        return std::string("is not JSON");
    std::string mistake;
    Reader reader(json, "", mistake);
    Config config{};
    reader.number("version", 1, 1);
    config.id = reader.text("id");
    if (config.id.size() != 64 || config.id.find_first_not_of("0123456789abcdef") != std::string::npos)
        reader.fail("id", "must be 64 hex digits");
    read_engine(reader, config);
    config.kernel = reader.absolute_path("kernel");
    config.initrd = reader.absolute_path("initrd");
    config.vcpus = static_cast<uint32_t>(reader.number("vcpus", 1, kMaxVcpus));
    config.memory_mib = reader.number("memoryMiB", 1, kMaxMemoryMib);
    read_devices(reader, config, mistake);
    config.host = read_host(reader);
    config.log = read_log(reader);
    config.tty = reader.boolean("tty");
    config.stop_signal = static_cast<uint32_t>(reader.number("stopSignal", 1, kLastSignal));
    config.auto_remove = reader.boolean("autoRemove");
    config.boot_timeout_ms = static_cast<uint32_t>(reader.number("bootTimeoutMs", 1, UINT32_MAX));
    config.resources = read_resources(reader, mistake);
    config.restart = read_restart(reader, config.auto_remove);
    config.health = read_health(reader);
    reader.finish();
    if (!mistake.empty())
        return mistake;
    return config;
}

} // namespace hrun::monitor
