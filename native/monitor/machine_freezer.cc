// SPDX-License-Identifier: Apache-2.0
#include "monitor/machine_freezer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "base/sparse_file.h"
#include "monitor/template_files.h"

namespace hrun::monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 60s;
// What the guest does when it goes on is rehearsed, too.
constexpr unsigned kRounds = 3;

} // namespace

MachineFreezer::MachineFreezer(EventLoop& loop, Container container)
    : loop_(loop), container_(std::move(container)),
      rehearsal_(loop, container_, [this](const Result<void>& done) { rehearsed(done); }), connector_(loop) {
    machine_.emplace(loop, container_, static_cast<MachineEvents&>(*this), true);
}

void MachineFreezer::start(Fd) {
    if (auto started = start_machine(); !started)
        give_up(started.error().message());
}

Result<void> MachineFreezer::start_machine() {
    limit_ =
        loop_.after(kLimit, [this] { give_up("the machine did not rehearse in time; see console.log"); });
    if (!container_.origin)
        return Error{ENOENT, "use a template"};
    auto process = create_file(TemplateFiles::kProcess);
    auto memory = create_file(TemplateFiles::kProcessMemory);
    if (!process || !memory)
        return process ? memory.error() : process.error();
    process_ = std::move(*process);
    memory_ = std::move(*memory);
    HRUN_TRY(machine_->start());
    HRUN_TRY(container_.jail->lock(jail::ThreadKind::kTemplateMaker));
    HRUN_TRY(machine_->run());
    rehearsal_.begin(*machine_);
    return {};
}

void MachineFreezer::rehearsed(const Result<void>& done) {
    if (!done)
        return give_up(done.error().message());
    turn_ = loop_.after({}, [this] { connect(); });
}

void MachineFreezer::connect() {
    session_.reset();
    connector_.connect(*machine_, [this](Result<Fd> socket) {
        if (!socket)
            return give_up(socket.error().message());
        session_.emplace(loop_, static_cast<AgentEvents&>(*this));
        if (auto begun = session_->begin(std::move(*socket), {}, {}); !begun)
            return give_up(begun.error().message());
        session_->suspend(container_.config.vsock_slot);
    });
}

Result<void> MachineFreezer::agent_suspended(std::string_view why) {
    if (why.empty())
        machine_->suspend([this](const Result<void>& done) { suspended(done); });
    else
        give_up("the guest does not stand still: " + std::string(why));
    return {};
}

void MachineFreezer::suspended(const Result<void>& done) {
    if (!done)
        return give_up(done.error().message());
    if (++rounds_ == kRounds)
        return freeze();
    machine_->go_on([this](const Result<void>& gone_on) {
        if (gone_on)
            connect();
        else
            give_up(gone_on.error().message());
    });
}

void MachineFreezer::freeze() {
    machine_->freeze(process_.get(), [this](const Result<void>& frozen) {
        const Result<void> done = frozen ? finish() : frozen;
        if (!done)
            give_up(done.error().message());
    });
}

Result<void> MachineFreezer::finish() {
    const uint64_t bytes = container_.config.memory_mib << 20;
    if (ftruncate(memory_.get(), static_cast<off_t>(bytes)) < 0)
        return Error::last("size the machine's memory");
    HRUN_TRY(TemplateFiles::copy_memory(machine_->memory(), memory_.get(), bytes));
    HRUN_TRY(TemplateFiles::dig_holes(memory_.get(), bytes));
    for (const Fd* file : {&process_, &memory_})
        if (fsync(file->get()) < 0)
            return Error::last("write the machine");
    container_.lock.reset();
    container_.keeper->ask(KeeperRequest::kFinished);
    loop_.stop();
    return {};
}

void MachineFreezer::give_up(const std::string& why) {
    dprintf(STDERR_FILENO, "hrun-vmm: no machine was frozen: %s\n", why.c_str());
    loop_.stop();
}

} // namespace hrun::monitor
