// SPDX-License-Identifier: Apache-2.0
#include "launcher/command_line.h"

#include <algorithm>
#include <optional>

namespace hrun::launcher {

namespace {

const PlainOption* find_name(std::string_view name) {
    const auto& all = plain_options();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const PlainOption& each) { return each.name == name; });
    return found == all.end() ? nullptr : &*found;
}

const PlainOption* find_letter(char letter) {
    const auto& all = plain_options();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const PlainOption& each) { return each.letter == letter; });
    return letter == 0 || found == all.end() ? nullptr : &*found;
}

// Reads the options one by one.
class Reader {
  public:
    Reader(const std::vector<std::string_view>& words, size_t at, Networks networks)
        : words_(words), at_(at), networks_(networks), interface_(networks.usual) {}

    // False at one that is not plain.
    bool read_options() {
        while (at_ < words_.size() && words_[at_].starts_with('-') && words_[at_] != "-") {
            const std::string_view word = words_[at_++];
            if (word == "--")
                return true;
            if (!(word.starts_with("--") ? read_name(word.substr(2)) : read_letters(word.substr(1))))
                return false;
        }
        return true;
    }

    bool has_operand() const { return at_ < words_.size() && !words_[at_].empty(); }
    std::optional<Interface> interface() const { return interface_; }

  private:
    bool read_name(std::string_view word) {
        const size_t equals = word.find('=');
        const std::string_view name = word.substr(0, equals);
        const PlainOption* option = find_name(name);
        if (!option || (equals != std::string_view::npos && !option->has_value))
            return false;
        std::optional<std::string_view> value;
        if (equals != std::string_view::npos)
            value = word.substr(equals + 1);
        else if (option->has_value)
            value = next();
        if (option->has_value && !value)
            return false;
        return (name != "network" && name != "net") || take_network(*value);
    }

    bool read_letters(std::string_view letters) {
        for (size_t i = 0; i < letters.size(); ++i) {
            const PlainOption* option = find_letter(letters[i]);
            if (!option)
                return false;
            if (option->has_value)
                return i + 1 < letters.size() || next();
        }
        return !letters.empty();
    }

    bool take_network(std::string_view name) {
        interface_ = name == "none" ? Interface::kNone : networks_.bridge;
        return name == "none" || name == "bridge";
    }

    std::optional<std::string_view> next() {
        return at_ < words_.size() ? std::optional(words_[at_++]) : std::nullopt;
    }

    const std::vector<std::string_view>& words_;
    size_t at_;
    Networks networks_;
    std::optional<Interface> interface_;
};

} // namespace

const std::vector<PlainOption>& plain_options() {
    static const std::vector<PlainOption> options{
        // clang-format off
        {'t', "tty", false}, {'i', "interactive", false}, {'d', "detach", false}, {'q', "quiet", false},
        {0, "rm", false}, {0, "init", false}, {0, "read-only", false}, {0, "trace-startup", false},
        {'P', "publish-all", false}, {'e', "env", true}, {0, "env-file", true}, {'w', "workdir", true},
        {'u', "user", true}, {'h', "hostname", true}, {0, "name", true}, {0, "entrypoint", true},
        {'l', "label", true}, {'p', "publish", true}, {0, "expose", true}, {0, "cidfile", true},
        {0, "ulimit", true}, {0, "cap-add", true}, {0, "cap-drop", true}, {0, "add-host", true},
        {0, "network", true}, {0, "net", true}, {0, "restart", true}, {0, "stop-signal", true},
        {0, "pids-limit", true}, {0, "tmpfs", true}, {0, "pull", true}, {0, "log-driver", true}, {0, "log-opt", true},
        // clang-format on
    };
    return options;
}

std::optional<Interface> plain_run(const std::vector<std::string_view>& words, Networks networks) {
    if (words.empty())
        return std::nullopt;
    const bool is_named = words[0] == "run";
    if (!is_named && !words[0].starts_with('-')) // an image, or another command
        return std::nullopt;
    Reader reader(words, is_named ? 1 : 0, networks);
    const bool is_plain = reader.read_options() && reader.has_operand();
    return is_plain ? reader.interface() : std::nullopt;
}

} // namespace hrun::launcher
