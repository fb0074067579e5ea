// SPDX-License-Identifier: Apache-2.0
#include "monitor/config.h"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace hrun::monitor {

namespace {

using Json = nlohmann::json;

constexpr unsigned kLastSlot = 22;
constexpr uint64_t kMaxVcpus = 32;
constexpr uint64_t kMaxMemoryMib = 1 << 20;
constexpr uint64_t kFirstGuestCid = 3;
constexpr uint64_t kLastSignal = 64;
constexpr uint64_t kLeastCpuMax = 1000; // the kernel takes no smaller quota
constexpr size_t kMaxSharedPaths = 1024;
constexpr uint64_t kLeastMtu = 68; // RFC 791
constexpr size_t kMaxNicAddresses = 16;
constexpr uint64_t kMostMtu = 65535;

// Reads an object field by field and remembers the first mistake. After a mistake the values read mean nothing.
class Reader {
  public:
    Reader(const Json& object, std::string path, std::string& mistake)
        : object_(object), path_(std::move(path)), mistake_(mistake) {
        if (!object_.is_object())
            fail("", "must be an object");
    }

    uint64_t number(const char* key, uint64_t least, uint64_t most) {
        const Json* value = field(key);
        if (value && value->is_number_unsigned() && value->get<uint64_t>() >= least &&
            value->get<uint64_t>() <= most)
            return value->get<uint64_t>();
        fail(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        return least;
    }
    bool boolean(const char* key) {
        const Json* value = field(key);
        if (value && value->is_boolean())
            return value->get<bool>();
        fail(key, "must be true or false");
        return false;
    }
    std::string text(const char* key) {
        const Json* value = field(key);
        if (value && value->is_string() &&
            value->get_ref<const std::string&>().find('\0') == std::string::npos)
            return value->get<std::string>();
        fail(key, "must be a string");
        return {};
    }
    std::string one_of(const char* key, std::initializer_list<const char*> words) {
        std::string value = text(key);
        std::string list;
        for (const char* word : words) {
            if (value == word)
                return value;
            list += list.empty() ? word : std::string(" or ") + word;
        }
        fail(key, "must be " + list);
        return value;
    }
    std::string absolute_path(const char* key) {
        std::string value = text(key);
        // A comma would begin another option of QEMU's.
        if (!value.starts_with('/') || value.find(',') != std::string::npos)
            fail(key, "must be an absolute path without a comma");
        return value;
    }
    // Of anything that no option list will hold.
    std::string any_path(const char* key) {
        std::string value = text(key);
        if (!value.starts_with('/'))
            fail(key, "must be an absolute path");
        return value;
    }
    net::Mac mac(const char* key) {
        const auto value = net::parse_mac(text(key));
        if (!value)
            fail(key, "must be the MAC address of one station");
        return value.value_or(net::Mac{});
    }
    std::vector<net::Address> ipv4_addresses(const char* key) {
        std::vector<net::Address> addresses;
        for (const Json& entry : array(key)) {
            const auto address =
                entry.is_string() ? net::parse_address(entry.get<std::string>()) : std::nullopt;
            if (!address || address->family != AF_INET || addresses.size() == kMaxNicAddresses)
                fail(key, "must be at most " + std::to_string(kMaxNicAddresses) +
                              " IPv4 addresses with their prefixes");
            else
                addresses.push_back(*address);
        }
        return addresses;
    }
    std::string interface_name(const char* key) {
        std::string value = text(key);
        if (!net::is_interface_name(value))
            fail(key, "must be the name of a network interface");
        return value;
    }
    unsigned slot(const char* key) { return static_cast<unsigned>(number(key, 0, kLastSlot)); }
    Reader object(const char* key) {
        const Json* value = field(key);
        return Reader(value ? *value : null_, path_ + key + ".", mistake_);
    }
    const Json& array(const char* key) {
        const Json* value = field(key);
        if (value && value->is_array())
            return *value;
        fail(key, "must be an array");
        return null_;
    }
    bool has(const char* key) const { return object_.is_object() && object_.contains(key); }
    // Call it last: what was not read should not be there.
    void finish() {
        if (!object_.is_object())
            return;
        for (const auto& [key, value] : object_.items())
            if (!read_.contains(key))
                fail(key.c_str(), "is not a known field");
    }
    void fail(const std::string& key, const std::string& what) {
        if (mistake_.empty())
            mistake_ = path_ + key + " " + what;
    }

  private:
    const Json* field(const char* key) {
        read_.insert(key);
        const auto found = object_.find(key);
        return found == object_.end() ? nullptr : &*found;
    }

    static inline const Json null_;
    const Json& object_;
    std::string path_;
    std::string& mistake_;
    std::set<std::string> read_;
};

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
    ShareConfig config{share.slot("slot"), share.absolute_path("daemon"), {}};
    const Json& paths = share.array("paths");
    if (paths.size() > kMaxSharedPaths)
        share.fail("paths", "has more than " + std::to_string(kMaxSharedPaths) + " entries");
    for (size_t i = 0; i < paths.size() && i < kMaxSharedPaths; ++i) {
        Reader path(paths[i], "share.paths[" + std::to_string(i) + "].", mistake);
        config.paths.push_back({path.any_path("path"), path.boolean("readOnly")});
        path.finish();
    }
    share.finish();
    return config;
}

// Optional: without any, the guest has its loopback.
std::vector<NicConfig> read_nics(Reader& reader, std::string& mistake) {
    std::vector<NicConfig> nics;
    if (!reader.has("nics"))
        return nics;
    for (const Json& entry : reader.array("nics")) {
        Reader nic(entry, "nics[" + std::to_string(nics.size()) + "].", mistake);
        nics.push_back({nic.slot("slot"), nic.mac("mac"), nic.ipv4_addresses("addresses"),
                        nic.interface_name("bridge"), nic.interface_name("tap"),
                        static_cast<uint16_t>(nic.number("mtu", kLeastMtu, kMostMtu))});
        nic.finish();
    }
    return nics;
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
    config.nics = read_nics(reader, mistake);
    check_slots(reader, config);
}

LogConfig read_log(Reader& reader) {
    Reader log = reader.object("log");
    LogConfig config;
    config.enabled = log.one_of("driver", {"json-file", "none"}) == "json-file";
    config.max_bytes = log.number("maxBytes", 0, INT64_MAX);
    config.max_files = static_cast<unsigned>(log.number("maxFiles", 1, 1000));
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
    config.log = read_log(reader);
    config.tty = reader.boolean("tty");
    config.stop_signal = static_cast<uint32_t>(reader.number("stopSignal", 1, kLastSignal));
    config.auto_remove = reader.boolean("autoRemove");
    config.boot_timeout_ms = static_cast<uint32_t>(reader.number("bootTimeoutMs", 1, UINT32_MAX));
    config.resources = read_resources(reader, mistake);
    config.restart = read_restart(reader, config.auto_remove);
    reader.finish();
    if (!mistake.empty())
        return mistake;
    return config;
}

} // namespace hrun::monitor
