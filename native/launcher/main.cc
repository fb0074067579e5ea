// SPDX-License-Identifier: Apache-2.0
// hrun-start INSTALLATION WORD...
// Becomes the CLI of an installation, and has the machine of `run` start meanwhile (docs/head-start.md).
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/command_line.h"
#include "launcher/head_start.h"

namespace {

using namespace hrun::launcher;

constexpr char kVariable[] = "HRUN_HEAD_START"; // src/vm/head-start.ts
constexpr int kLastInherited = 15; // Node.js looks this far for what its children are not to have

bool is_one_of(const char* variable, const std::vector<std::string_view>& values) {
    const char* value = getenv(variable);
    for (const std::string_view each : values)
        if (each == (value ? value : ""))
            return true;
    return false;
}

// As src/network/host.ts has it.
bool can_have_bridges() {
    bool has_nft = false;
    for (const char* path : {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"})
        has_nft = has_nft || access(path, X_OK) == 0;
    return has_nft && access("/dev/net/tun", R_OK | W_OK) == 0;
}

// Root's containers have no interface where there can be no bridges: passt's is for others.
Networks networks() {
    std::optional<Interface> bridge;
    if (geteuid() == 0)
        bridge = can_have_bridges() ? Interface::kTap : Interface::kNone;
    if (is_one_of("HRUN_NETWORK", {"none"}))
        return {Interface::kNone, bridge};
    return {is_one_of("HRUN_NETWORK", {"", "bridge"}) ? bridge : std::nullopt, bridge};
}

// The interface of the machine that can be started.
std::optional<Interface> wanted(const std::vector<std::string_view>& words) {
    if (getenv(kVariable) || !is_one_of("HRUN_TEMPLATES", {"", "auto", "use"}) ||
        !is_one_of("HRUN_ENGINE", {"", "auto", "qemu"}))
        return std::nullopt;
    return plain_run(words, networks());
}

// The CLI has the descriptor from here on, and keeps it from what it starts.
void hand_on(HeadStart& machine) {
    const int fd = machine.client.release();
    if (fd > kLastInherited || fcntl(fd, F_SETFD, 0) < 0) {
        close(fd);
        return;
    }
    const std::string value = std::to_string(fd) + " " + machine.key + " " + machine.id;
    setenv(kVariable, value.c_str(), 1);
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2)
        return 125;
    const std::string installation = argv[1];
    const std::vector<std::string_view> words(argv + 2, argv + argc);
    char whole[PATH_MAX];
    const auto interface = wanted(words);
    if (interface && realpath(argv[1], whole))
        if (auto machine = begin_head_start(store_directory(), *interface,
                                            std::string(whole) + "/build/native/hrun-vmm"))
            hand_on(*machine);
    const std::string node = installation + "/build/node";
    const std::string bundle = installation + "/dist/hrun.cjs";
    // Behind --: Node.js looks for --env-file on the whole command line otherwise.
    std::vector<char*> arguments{const_cast<char*>(node.c_str()), const_cast<char*>("--"),
                                 const_cast<char*>(bundle.c_str())};
    arguments.insert(arguments.end(), argv + 2, argv + argc + 1);
    execv(node.c_str(), arguments.data());
    fprintf(stderr, "hrun: %s: %m\n", node.c_str());
    return 125;
}
