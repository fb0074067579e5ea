// SPDX-License-Identifier: Apache-2.0
// Reading vm.json, for config.cc.
#pragma once

#include <netinet/in.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/port_map.h"

namespace hrun::monitor {

using Json = nlohmann::json;

// Reads an object field by field and remembers the first mistake. After a mistake the values read mean nothing.
class ConfigReader {
    static constexpr unsigned kLastSlot = 22;
    static constexpr size_t kMaxNicAddresses = 16;
    static constexpr size_t kMostWords = 64;

  public:
    ConfigReader(const Json& object, std::string path, std::string& mistake)
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
    std::vector<net::Address> addresses(const char* key) {
        std::vector<net::Address> addresses;
        for (const Json& entry : array(key)) {
            const auto address =
                entry.is_string() ? net::parse_address(entry.get<std::string>()) : std::nullopt;
            if (!address || addresses.size() == kMaxNicAddresses)
                fail(key, "must be at most " + std::to_string(kMaxNicAddresses) +
                              " IP addresses with their prefixes");
            else
                addresses.push_back(*address);
        }
        return addresses;
    }
    Ip ip(const char* key) {
        const auto value = parse_ip(text(key));
        if (!value)
            fail(key, "must be an IP address");
        return value.value_or(Ip{});
    }
    Ip ip(const char* key, int family) {
        const Ip value = ip(key);
        if (value.family != family)
            fail(key, family == AF_INET ? "must be an IPv4 address" : "must be an IPv6 address");
        return value;
    }
    // Of an entry in a directory that its user chose a name for.
    std::string file_name(const char* key) {
        std::string value = text(key);
        if (value.empty() || value.starts_with('.') || value.find('/') != value.npos)
            fail(key, "must be a name");
        return value;
    }
    // Texts without blanks.
    std::vector<std::string> words(const char* key) {
        std::vector<std::string> words;
        for (const Json& entry : array(key)) {
            words.push_back(entry.is_string() ? entry.get<std::string>() : "");
            if (words.back().empty() || words.size() > kMostWords ||
                !std::all_of(words.back().begin(), words.back().end(),
                             [](char c) { return c > ' ' && c < 0x7f; }))
                fail(key, "must be at most " + std::to_string(kMostWords) + " words");
        }
        return words;
    }
    // An object of strings.
    std::map<std::string, std::string> texts(const char* key) {
        std::map<std::string, std::string> texts;
        const Json* value = field(key);
        if (value && value->is_object())
            for (const auto& [name, text] : value->items()) {
                if (!text.is_string())
                    fail(key + ("." + name), "must be a string");
                else
                    texts[name] = text.get<std::string>();
            }
        else
            fail(key, "must be an object");
        return texts;
    }
    std::string interface_name(const char* key) {
        std::string value = text(key);
        if (!net::is_interface_name(value))
            fail(key, "must be the name of a network interface");
        return value;
    }
    unsigned slot(const char* key) { return static_cast<unsigned>(number(key, 0, kLastSlot)); }
    ConfigReader object(const char* key) {
        const Json* value = field(key);
        return ConfigReader(value ? *value : null_, path_ + key + ".", mistake_);
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

} // namespace hrun::monitor
