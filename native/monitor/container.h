// SPDX-License-Identifier: Apache-2.0
// A container's directory, locked, and what the CLI left there for its monitor.
#pragma once

#include <fcntl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/fd.h"
#include "monitor/config.h"
#include "monitor/confinement.h"
#include "monitor/keeper_link.h"
#include "monitor/machine_files.h"
#include "monitor/nic.h"
#include "monitor/share_daemon.h"
#include "monitor/template_files.h"

namespace hrun::monitor {

// The container's directory for the monitor, whose working directory it is: a descriptor would lead out of the jail.
constexpr int kContainerDirectory = AT_FDCWD;

struct Container {
    Fd directory;     // the keeper's alone
    Fd lock;          // held from start to end, by everything that lives for the container
    std::string path; // absolute, as the host sees it
    Config config;
    std::string configure; // payloads for the agent
    std::string start;
    std::string probe; // START of a probe; empty without Config::health
    MachineFiles files;
    std::optional<SharedDirectories> shared; // of this run, if anything is shared
    std::vector<Nic> nics;                   // of this run; none when only the files are served
    std::string template_path;               // of the template to start from; empty: the machine is booted
    std::string checkpoint_path;             // of the checkpoint that the first run goes on from; else empty
    std::optional<TemplateFiles> origin;     // of this run; none when it is booted
    bool checkpoint = false;                 // `origin` is a checkpoint's, not a template's
    Fd host;             // of this run: asks the monitor whose machine it shares; none when it has its own
    std::string refusal; // why it cannot run, for the monitor to tell; empty when it can

    // Of the monitor.
    pid_t keeper_pid = 0; // as the host sees it
    Fd control;           // control.sock, listening since the keeper began: whoever lives serves it
    uint32_t restart_count = 0;
    uint64_t monitor_started_ns = 0; // CLOCK_MONOTONIC, of a machine that had a head start; else 0
    uint64_t machine_started_ns = 0;
    std::chrono::milliseconds restart_wait{}; // of a RestartWait
    std::unique_ptr<Confinement> jail;
    std::unique_ptr<KeeperLink> keeper;
};

// settings/vm.json of a container's directory, or one line that says what is wrong with it.
std::variant<Config, std::string> read_config(int directory);

// settings/configure.bin of a container's directory.
Result<std::string> read_configure(int directory);

// Reads the settings of a container's directory into `container`. One line that says what is wrong with them; nothing when all is well.
std::optional<std::string> read_settings(int directory, Container& container);

// Locks and reads the directory and opens the machine's files; or one line that says what is wrong with the directory.
std::variant<Container, std::string> open_container(const char* path);

} // namespace hrun::monitor
