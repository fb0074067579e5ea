// SPDX-License-Identifier: Apache-2.0
#include "monitor/plugin_network.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "base/fd.h"
#include "monitor/config_reader.h"
#include "monitor/live_record.h"
#include "net/namespace.h"

namespace hrun::monitor {

namespace {

constexpr int kPluginMilliseconds = 60000;
constexpr size_t kMostOutput = 64 * 1024;
constexpr char kNamespace[] = "CNI_NETNS";

struct Plugin {
    std::string program;
    std::string input;
};

struct Record {
    std::string name; // of the network
    std::string name_space;
    std::map<std::string, std::string> environment;
    std::vector<Plugin> plugins; // in the order in which they were added
};

std::string read_record(const std::string& text, Record& record) {
    const Json json = Json::parse(text, nullptr, false);
    std::string mistake;
    ConfigReader reader(json, "", mistake);
    reader.number("version", 1, 1);
    record.name = reader.text("name");
    record.name_space = reader.any_path("namespace");
    reader.boolean("checks");
    record.environment = reader.texts("environment");
    for (const Json& entry : reader.array("plugins")) {
        ConfigReader plugin(entry, "plugins[" + std::to_string(record.plugins.size()) + "].", mistake);
        record.plugins.push_back({plugin.any_path("program"), plugin.text("input")});
        plugin.finish();
    }
    reader.finish();
    return mistake;
}

bool is_namespace(const std::string& path) {
    struct statfs status {};
    return statfs(path.c_str(), &status) == 0 && status.f_type == NSFS_MAGIC;
}

// A file in memory: no reader waits for a writer, whoever stops first.
Fd memory_file(const std::string& content) {
    Fd file(static_cast<int>(syscall(SYS_memfd_create, "plug-in", MFD_CLOEXEC)));
    if (!file.valid() ||
        pwrite(file.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()))
        file.reset();
    return file;
}

std::string content_of(const Fd& file) {
    std::string text(kMostOutput, '\0');
    const ssize_t size = pread(file.get(), text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
}

[[noreturn]] void become(const std::string& program, char* const* environment, int input, int output) {
    sigset_t none;
    sigemptyset(&none);
    char* const words[] = {const_cast<char*>(program.c_str()), nullptr}; // execve does not change it
    if (sigprocmask(SIG_SETMASK, &none, nullptr) == 0 && setpgid(0, 0) == 0 && chdir("/") == 0 &&
        dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        close_range(STDERR_FILENO + 1, ~0u, 0) == 0)
        execve(program.c_str(), words, environment);
    _exit(127);
}

// Its wait status; nothing when it did not end in time.
std::optional<int> await_end(pid_t child) {
    const Fd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
    pollfd source{process.get(), POLLIN, 0};
    int ready;
    do
        ready = poll(&source, 1, kPluginMilliseconds);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        kill(-child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return ready > 0 ? std::optional(status) : std::nullopt;
}

// One line, whatever it wrote.
std::string one_line(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f)
            c = ' ';
    return text;
}

// What a plug-in says of its failure (CNI specification, section 5, "Error").
std::string said(const std::string& output, const std::string& otherwise) {
    const Json json = Json::parse(output, nullptr, false);
    if (!json.is_object() || !json.contains("msg") || !json["msg"].is_string())
        return otherwise;
    return one_line(json["msg"].get<std::string>());
}

std::string tell(const Plugin& plugin, const std::map<std::string, std::string>& environment) {
    std::vector<std::string> settings;
    for (const auto& [key, value] : environment)
        settings.push_back(key + "=" + value);
    std::vector<char*> words;
    for (std::string& setting : settings)
        words.push_back(setting.data());
    words.push_back(nullptr);
    const Fd input = memory_file(plugin.input), output = memory_file("");
    if (!input.valid() || !output.valid())
        return "cannot be told anything: " + std::string(strerrordesc_np(errno));
    const pid_t child = fork();
    if (child < 0)
        return "cannot be started: " + std::string(strerrordesc_np(errno));
    if (child == 0)
        become(plugin.program, words.data(), input.get(), output.get());
    const auto status = await_end(child);
    if (!status)
        return "did not end within " + std::to_string(kPluginMilliseconds / 1000) + " s";
    if (*status == 0)
        return {};
    if (WIFSIGNALED(*status))
        return "was killed by signal " + std::to_string(WTERMSIG(*status));
    return said(content_of(output), access(plugin.program.c_str(), X_OK) < 0
                                        ? "is not there any more"
                                        : "ended with " + std::to_string(WEXITSTATUS(*status)));
}

} // namespace

std::string plugin_record(const std::string& container_directory) {
    return networks_directory(container_directory) + "/.cni/" +
           container_directory.substr(container_directory.rfind('/') + 1);
}

std::string leave_plugin_network(const std::string& path) {
    if (access(path.c_str(), F_OK) < 0 && errno == ENOENT)
        return {};
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    Record record;
    if (const std::string mistake = read_record(text.str(), record); !mistake.empty())
        return path + ": " + mistake;
    record.environment["CNI_COMMAND"] = "DEL";
    if (!is_namespace(record.name_space))
        record.environment[kNamespace] = "";
    std::string failure;
    for (auto plugin = record.plugins.rbegin(); plugin != record.plugins.rend(); ++plugin)
        if (const std::string why = tell(*plugin, record.environment); !why.empty() && failure.empty())
            failure = "network " + record.name + ": plug-in " +
                      plugin->program.substr(plugin->program.rfind('/') + 1) + ": " + why;
    if (auto removed = net::remove_namespace(record.name_space); !removed && failure.empty())
        failure = removed.error().message();
    if (failure.empty() && unlink(path.c_str()) < 0 && errno != ENOENT)
        failure = Error::last("remove " + path).message();
    return failure;
}

} // namespace hrun::monitor
