// SPDX-License-Identifier: Apache-2.0
#include "vmm/embedded_machine.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>

#include "vmm/builder.h"

namespace hrun::vmm {

namespace {

Error gone() {
    return Error{ECANCELED, "use a machine that has gone"};
}

// The host's end, blocking as programs expect, and the device's, non-blocking.
Result<std::pair<Fd, Fd>> stream_pair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return Error::last("make a socket pair");
    std::pair<Fd, Fd> pair{Fd(ends[0]), Fd(ends[1])};
    if (fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0)
        return Error::last("make a socket non-blocking");
    return pair;
}

} // namespace

EmbeddedMachine::EmbeddedMachine(EmbeddedConfig config, Events events, Done built)
    : events_(std::move(events)) {
    Result<EventFd> ready = EventFd::create();
    if (!ready) {
        built(ready.error());
        return;
    }
    work_ready_ = std::move(*ready);
    thread_ = std::thread([this, config = std::move(config), built = std::move(built)]() mutable {
        main(std::move(config), built);
    });
}

EmbeddedMachine::~EmbeddedMachine() {
    if (!thread_.joinable())
        return;
    leaving_ = true;
    work_ready_.signal();
    thread_.join();
}

void EmbeddedMachine::main(EmbeddedConfig config, const Done& built) {
    pthread_setname_np(pthread_self(), "devices");
    Result<void> result = build(config);
    built(result);
    while (!leaving_ && loop_ && loop_->run_once(std::chrono::hours(1))) {
    }
    finish();
}

Result<void> EmbeddedMachine::build(EmbeddedConfig& config) {
    Result<std::unique_ptr<EventLoop>> loop = EventLoop::create();
    if (!loop)
        return loop.error();
    loop_ = std::move(*loop);
    HRUN_TRY(watch());
    Result<kvm::System> system = kvm::System::open();
    if (!system)
        return system.error();
    Result<CpuidTable> supported = system->supported_cpuid();
    if (!supported)
        return supported.error();
    const CpuidTable cpuid = apply_cpuid_template(*supported);
    Builder builder(*system, cpuid, *loop_);
    builder.on_console([this](char byte) { console_->put(byte); });
    if (config.snapshot.empty())
        return adopt(builder.build(config.machine, create_devices(config)));
    Result<SnapshotFile> snapshot = SnapshotFile::open(config.snapshot);
    if (!snapshot)
        return snapshot.error();
    return adopt(builder.restore(*snapshot, create_devices(config)));
}

std::vector<SlotDevice> EmbeddedMachine::create_devices(const EmbeddedConfig& config) {
    std::vector<SlotDevice> devices;
    if (config.vsock) {
        auto refuse = [](uint32_t) { return Result<Fd>(Error{ECONNREFUSED, "connect to the host"}); };
        auto vsock = std::make_unique<virtio::VsockDevice>(*loop_, config.vsock_cid, refuse);
        vsock_ = vsock.get();
        devices.push_back({config.vsock_slot, std::move(vsock)});
    }
    return devices;
}

Result<void> EmbeddedMachine::adopt(Result<std::unique_ptr<Machine>> machine) {
    if (!machine)
        return machine.error();
    machine_ = std::move(*machine);
    Result<Watch> ended = loop_->watch(machine_->ended().get(), EPOLLIN, [this](uint32_t) { tell_end(); });
    if (!ended)
        return ended.error();
    end_watch_ = std::move(*ended);
    return {};
}

Result<void> EmbeddedMachine::watch() {
    Result<EventFd> filled = EventFd::create();
    if (!filled)
        return filled.error();
    console_ = std::make_unique<ConsoleBuffer>(std::move(*filled));
    Result<Watch> console = loop_->watch(console_->filled().get(), EPOLLIN, [this](uint32_t) {
        if (std::string bytes = console_->take(); !bytes.empty())
            events_.console(std::move(bytes));
    });
    if (!console)
        return console.error();
    watches_.push_back(std::move(*console));
    Result<Watch> work = loop_->watch(work_ready_.get(), EPOLLIN, [this](uint32_t) { run_work(); });
    if (!work)
        return work.error();
    watches_.push_back(std::move(*work));
    return {};
}

void EmbeddedMachine::start(Done done) {
    with_machine([](Machine& machine) { return machine.start(); }, std::move(done));
}
void EmbeddedMachine::pause(Done done) {
    with_machine([](Machine& machine) { return machine.pause(); }, std::move(done));
}
void EmbeddedMachine::resume(Done done) {
    with_machine([](Machine& machine) { return machine.resume(); }, std::move(done));
}

// The directory is opened here, for the working directory may change.
void EmbeddedMachine::snapshot(std::string path, Done done) {
    const size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    auto opened = std::make_shared<Fd>(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const Error error = opened->valid() ? Error{} : Error::last("open " + directory);
    auto save = [opened, error, name = path.substr(slash + 1)](Machine& machine) -> Result<void> {
        if (!opened->valid())
            return error;
        Result<kvm::System> system = kvm::System::open();
        return system ? machine.save(*system, {opened->get(), name}) : Result<void>(system.error());
    };
    with_machine(std::move(save), std::move(done));
}

void EmbeddedMachine::stop() {
    with_machine(
        [](Machine& machine) {
            machine.stop();
            return Result<void>();
        },
        [](const Result<void>&) {});
}

void EmbeddedMachine::console_input(std::string input, std::function<void(Result<size_t>)> taken) {
    post([this, input = std::move(input), taken = std::move(taken)] {
        taken(machine_ ? Result<size_t>(machine_->console_input(input)) : Result<size_t>(gone()));
    });
}

void EmbeddedMachine::connect(uint32_t port, std::function<void(Result<Fd>)> connected) {
    post([this, port, connected = std::move(connected)] {
        if (!machine_ || !vsock_)
            return connected(vsock_ ? gone() : Error{ENODEV, "connect to a machine without vsock"});
        Result<std::pair<Fd, Fd>> pair = stream_pair();
        if (!pair)
            return connected(pair.error());
        auto host_end = std::make_shared<Fd>(std::move(pair->first));
        auto outcome = [connected, host_end](const auto& result) {
            connected(result ? Result<Fd>(std::move(*host_end)) : Result<Fd>(result.error()));
        };
        if (Result<void> begun = vsock_->connect(port, std::move(pair->second), outcome); !begun)
            connected(begun.error());
    });
}

void EmbeddedMachine::with_machine(std::function<Result<void>(Machine&)> action, Done done) {
    post([this, action = std::move(action), done = std::move(done)] {
        done(machine_ ? action(*machine_) : Result<void>(gone()));
    });
}

void EmbeddedMachine::post(Work work) {
    {
        std::lock_guard lock(mutex_);
        work_.push_back(std::move(work));
    }
    work_ready_.signal();
}

void EmbeddedMachine::run_work() {
    work_ready_.drain();
    std::deque<Work> work;
    {
        std::lock_guard lock(mutex_);
        work.swap(work_);
    }
    for (const Work& item : work)
        item();
    if (machine_)
        exits_ = machine_->exits();
}

void EmbeddedMachine::tell_end() {
    end_watch_.reset();
    if (std::string rest = console_->take(); !rest.empty())
        events_.console(std::move(rest));
    events_.ended(machine_->how_it_ended());
}

// What was still asked for is answered with "gone".
void EmbeddedMachine::finish() {
    if (machine_) {
        machine_->stop();
        if (end_watch_.active())
            tell_end();
        exits_ = machine_->exits();
    }
    watches_.clear();
    machine_.reset();
    run_work();
    console_.reset();
    loop_.reset();
}

} // namespace hrun::vmm
