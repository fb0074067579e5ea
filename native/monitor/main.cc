// SPDX-License-Identifier: Apache-2.0
// hrun-vmm [--service] [--from TEMPLATE | --restore CHECKPOINT] CONTAINER_DIRECTORY
// hrun-vmm --pool --from TEMPLATE DIRECTORY
// hrun-vmm --head-start --from TEMPLATE DIRECTORY
// hrun-vmm --template DIRECTORY
// hrun-vmm --checkpoint CONTAINER_DIRECTORY CHECKPOINT go-on|end
// hrun-vmm --verify CHECKPOINT
// hrun-vmm --limit CONTAINER_DIRECTORY PID
// hrun-vmm --plug|--unplug CONTAINER_DIRECTORY SLOT
// hrun-vmm --ports CONTAINER_DIRECTORY
// hrun-vmm --check
// hrun-vmm --names NETWORK_DIRECTORY ADDRESS TABLE, hrun-vmm --cni-del RECORD
// The last line's: docs/networks.md; the others': docs/monitor.md.
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "monitor/checkpoint_files.h"
#include "monitor/checkpoint_maker.h"
#include "monitor/container.h"
#include "monitor/host_check.h"
#include "monitor/keeper.h"
#include "monitor/machine_freezer.h"
#include "monitor/name_service.h"
#include "monitor/nic.h"
#include "monitor/nic_plug.h"
#include "monitor/plugin_network.h"
#include "monitor/restart_wait.h"
#include "monitor/service.h"
#include "monitor/signals.h"
#include "monitor/template_maker.h"
#include "monitor/vm.h"
#include "monitor/waiting_machine.h"

namespace {

using namespace hrun;
using namespace hrun::monitor;

constexpr int kFirstClient = 3;
constexpr uint32_t kStopMilliseconds = 10000;

int complain(const std::string& what) {
    dprintf(STDERR_FILENO, "hrun-vmm: %s\n", what.c_str());
    return 1;
}

// Descriptor 3, if the caller gave one.
Fd first_client() {
    struct stat st;
    return Fd(fstat(kFirstClient, &st) == 0 && S_ISSOCK(st.st_mode) ? kFirstClient : -1);
}

void stop(Vm& vm) {
    vm.stop({vm.stop_signal(), kStopMilliseconds, HRUN_STOP_FOR_HOST});
}

template <class Owner> void stop(Owner& owner) {
    owner.stop();
}

// Has an `Owner` serve the container until it stops the loop; SIGTERM asks it to.
template <class Owner> int serve(Container container, Fd client) {
    auto loop = EventLoop::create();
    if (!loop)
        return complain(loop.error().message());
    auto signals = watch_signals();
    if (!signals)
        return complain(signals.error().message());
    Owner owner(**loop, std::move(container));
    auto watch = (*loop)->watch(signals->get(), EPOLLIN, [&](uint32_t) {
        signalfd_siginfo info;
        if (read(signals->get(), &info, sizeof info) == sizeof info && info.ssi_signo == SIGTERM)
            stop(owner);
    });
    if (!watch)
        return complain(watch.error().message());
    owner.start(std::move(client));
    const auto ran = (*loop)->run();
    return ran ? 0 : complain(ran.error().message());
}

// Of a VM that runs. Its memory's limit stays: that of vm.json is for the VM's next size.
int set_limits(const char* path, const char* process) {
    const Fd directory(open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    const auto config = read_config(directory.get());
    if (const auto* mistake = std::get_if<std::string>(&config))
        return complain(std::string(path) + ": " + *mistake);
    const Config& wanted = std::get<Config>(config);
    jail::Resources resources;
    resources.cpu_max = wanted.resources.cpu_max;
    resources.cpu_period = wanted.resources.cpu_period;
    resources.cpu_shares = wanted.resources.cpu_shares;
    resources.cpus = wanted.resources.cpus;
    const std::string missing = jail::Cgroup::limit(wanted.id, atoi(process), resources);
    if (!missing.empty())
        return complain("this host cannot limit the VM's " + missing);
    const bool has_taps = !wanted.nics.empty() && !wanted.nics[0].passt;
    const auto limited = has_taps ? limit_nics(wanted.nics) : Result<void>();
    return limited ? 0 : complain(limited.error().message());
}

// Of a VM that runs.
int change_nics(const char* what, const char* path, const char* slot) {
    const auto number = static_cast<unsigned>(atoi(slot));
    const auto done = std::string_view(what) == "--plug" ? plug(path, number) : unplug(path, number);
    return done ? 0 : complain(done.error().message());
}

int checkpoint(const char* container, const char* directory, std::string_view then) {
    if (then != "go-on" && then != "end")
        return complain("a container goes on after its checkpoint, or ends: go-on, end");
    const auto made = make_checkpoint(container, directory, then == "end");
    return made ? 0 : complain(made.error().message());
}

int verify(const char* directory) {
    const auto files = CheckpointFiles::open(directory);
    return files ? 0 : complain(files.error().message());
}

struct Arguments {
    int (*monitor)(Container, Fd) = serve<Vm>;
    bool ahead = false; // of its container
    std::string from;
    std::string restore;
    std::string directory;
};

Keeper::Role role_of(const Arguments& arguments) {
    if (arguments.monitor == serve<Vm>)
        return Keeper::Role::kContainer;
    return arguments.monitor == serve<TemplateMaker> || arguments.monitor == serve<MachineFreezer>
               ? Keeper::Role::kTemplate
               : Keeper::Role::kService;
}

std::optional<Arguments> parse(std::vector<std::string> words) {
    Arguments arguments;
    size_t at = 0;
    const auto is = [&](const char* option) { return at + 1 < words.size() && words[at] == option; };
    if (is("--template")) {
        arguments.monitor = serve<TemplateMaker>;
        ++at;
    } else if (is("--freeze")) {
        arguments.monitor = serve<MachineFreezer>;
        ++at;
    } else if (is("--service")) {
        arguments.monitor = serve<Service>;
        ++at;
    } else if (is("--pool") || is("--head-start")) {
        arguments.monitor = serve<WaitingMachine>;
        arguments.ahead = is("--head-start");
        ++at;
    }
    if (is("--from") && arguments.monitor != serve<TemplateMaker>) {
        arguments.from = words[at + 1];
        at += 2;
    } else if (is("--restore") && arguments.monitor == serve<Vm>) {
        arguments.restore = words[at + 1];
        at += 2;
    }
    if (at + 1 != words.size() || words[at].starts_with("--"))
        return std::nullopt;
    arguments.directory = words[at];
    return arguments;
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--check")
        return puts(check_host().c_str()) < 0;
    if (argc == 4 && std::string_view(argv[1]) == "--limit")
        return set_limits(argv[2], argv[3]);
    if (argc == 4 && (std::string_view(argv[1]) == "--plug" || std::string_view(argv[1]) == "--unplug"))
        return change_nics(argv[1], argv[2], argv[3]);
    if (argc == 3 && std::string_view(argv[1]) == "--ports") {
        const auto redirected = redirect_ports_of(argv[2]);
        return redirected ? 0 : complain(redirected.error().message());
    }
    if (argc == 5 && std::string_view(argv[1]) == "--checkpoint")
        return checkpoint(argv[2], argv[3], argv[4]);
    if (argc == 3 && std::string_view(argv[1]) == "--verify")
        return verify(argv[2]);
    if (argc == 3 && std::string_view(argv[1]) == "--cni-del") {
        const std::string failure = leave_plugin_network(argv[2]);
        return failure.empty() ? 0 : complain(failure);
    }
    if (argc == 5 && std::string_view(argv[1]) == "--names") {
        const auto served = serve_names(argv[2], argv[3], argv[4]);
        return served ? 0 : complain(served.error().message());
    }
    const std::optional<Arguments> arguments = parse({argv + 1, argv + argc});
    if (!arguments)
        return complain(
            "usage: hrun-vmm [--service|--pool|--head-start] [--from TEMPLATE | --restore CHECKPOINT] "
            "CONTAINER_DIRECTORY, --template DIRECTORY, or --freeze --from TEMPLATE DIRECTORY");
    Fd client = first_client();
    auto opened = open_container(arguments->directory.c_str());
    if (auto* mistake = std::get_if<std::string>(&opened))
        return complain(*mistake);
    Container& container = std::get<Container>(opened);
    container.template_path = arguments->from;
    container.checkpoint_path = arguments->restore;
    if (arguments->ahead)
        return Keeper(std::move(container), Keeper::Role::kPool)
            .run_ahead(std::move(client), arguments->monitor, serve<Vm>, serve<RestartWait>);
    if (arguments->monitor == serve<WaitingMachine>)
        return Keeper(std::move(container), Keeper::Role::kPool)
            .run_in_pool(arguments->monitor, serve<Vm>, serve<RestartWait>);
    return Keeper(std::move(container), role_of(*arguments))
        .run(std::move(client), arguments->monitor, serve<RestartWait>);
}
