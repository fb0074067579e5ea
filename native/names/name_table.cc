// SPDX-License-Identifier: Apache-2.0
#include "names/name_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "base/fd.h"

namespace hrun::names {

namespace {

constexpr char kDirectory[] = "/names", kServers[] = "/servers";
constexpr size_t kMostText = 16384;
constexpr size_t kIdLength = 64;

std::string read_all(int file) {
    std::string text(kMostText, '\0');
    const ssize_t size = read(file, text.data(), text.size());
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
}

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

Directory open_directory(const std::string& path) {
    return {opendir(path.c_str()), closedir};
}

// Its holder has it exclusively.
bool is_live(int file) {
    return flock(file, LOCK_SH | LOCK_NB) < 0;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

} // namespace

Station parse_station(const std::string& text) {
    Station station;
    std::istringstream lines(text);
    for (std::string word, value; lines >> word >> value;) {
        if (const auto address = word == "address" ? parse_ip(value) : std::nullopt)
            station.addresses.push_back(*address);
        std::string name = value;
        std::transform(name.begin(), name.end(), name.begin(), lower);
        if (word == "name")
            station.names.push_back(std::move(name));
        if (word == "server")
            station.servers.push_back(value);
    }
    return station;
}

std::vector<Station> read_stations(const std::string& network) {
    std::vector<Station> stations;
    const Directory directory = open_directory(network + kDirectory);
    while (const dirent* entry = directory ? readdir(directory.get()) : nullptr) {
        if (std::string(entry->d_name).size() != kIdLength)
            continue;
        const Fd file(openat(dirfd(directory.get()), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!file.valid() || !is_live(file.get()))
            continue;
        stations.push_back(parse_station(read_all(file.get())));
        stations.back().id = entry->d_name;
    }
    return stations;
}

std::vector<std::string> networks_of(const std::string& id) {
    std::vector<std::string> networks;
    const Directory directory = open_directory(".");
    while (const dirent* entry = directory ? readdir(directory.get()) : nullptr) {
        const std::string network = entry->d_name;
        const Fd file(open((network + kDirectory + "/" + id).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!network.starts_with('.') && file.valid() && is_live(file.get()))
            networks.push_back(network);
    }
    std::sort(networks.begin(), networks.end());
    return networks;
}

std::vector<std::string> read_servers(const std::string& network) {
    std::vector<std::string> servers;
    const Fd file(open((network + kServers).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    std::istringstream lines(file.valid() ? read_all(file.get()) : "");
    for (std::string line; lines >> line;)
        servers.push_back(line);
    return servers;
}

} // namespace hrun::names
