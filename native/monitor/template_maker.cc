// SPDX-License-Identifier: Apache-2.0
#include "monitor/template_maker.h"

#include <fcntl.h>
#include <unistd.h>

#include "monitor/template_files.h"
#include "template.h"

namespace hrun::monitor {

namespace {

static_assert(TEMPLATE_SLOTS == qemu::kSlots, "the agent and the machine count slots alike");

// A new file of the directory, which is the working directory.
Result<Fd> create_file(const char* name) {
    Fd file(open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid())
        return Error::last(std::string("create ") + name);
    return file;
}

} // namespace

TemplateMaker::TemplateMaker(EventLoop& loop, Container container)
    : loop_(loop), container_(std::move(container)),
      process_(loop, container_,
               {[this](const qemu::Event& event) { handle_event(event); },
                [this] { give_up(process_.why_gone()); }, [this] { look_for_word(); },
                [this] { saved_ ? finish() : give_up(process_.why_gone()); }}) {}

void TemplateMaker::start(Fd) {
    auto started = start_parts();
    if (started)
        started = container_.jail->lock();
    if (!started)
        give_up(started.error().message());
}

Result<void> TemplateMaker::start_parts() {
    HandedOver fds;
    auto config = prepare(fds);
    if (!config)
        return config.error();
    HRUN_TRY(process_.spawn(*config, fds));
    limit_ = loop_.after(std::chrono::milliseconds(container_.config.boot_timeout_ms),
                         [this] { give_up("the machine did not boot in time; see console.log"); });
    return {};
}

Result<qemu::Config> TemplateMaker::prepare(HandedOver& fds) {
    for (const auto* file : {&container_.files.kernel, &container_.files.initrd})
        if (!*file)
            return file->error();
    auto memory = create_file(TemplateFiles::kMemory);
    auto state = create_file(TemplateFiles::kState);
    if (!memory || !state)
        return memory ? state.error() : memory.error();
    memory_ = std::move(*memory);
    state_ = std::move(*state);
    if (ftruncate(memory_.get(), static_cast<off_t>(container_.config.memory_mib << 20)) < 0)
        return Error::last("size the template's memory");
    auto config = process_.prepare(qemu::Role::kTemplate, fds);
    if (!config)
        return config;
    config->memory = process_.path_of(fds.add(Fd(fcntl(memory_.get(), F_DUPFD_CLOEXEC, 0))));
    return config;
}

void TemplateMaker::look_for_word() {
    if (ready_ || process_.console().last_line() != TEMPLATE_READY)
        return;
    ready_ = true;
    if (auto asked = process_.qmp().save(state_.get()); !asked)
        give_up(asked.error().message());
}

void TemplateMaker::handle_event(const qemu::Event& event) {
    if (event.kind == qemu::Event::Kind::kCompleted) {
        saved_ = true;
        process_.kill();
    } else if (event.kind == qemu::Event::Kind::kRefused) {
        give_up("QEMU says: " + event.detail);
    }
}

// A template that has a name is whole, whatever becomes of the host.
void TemplateMaker::finish() {
    if (auto dug = TemplateFiles::dig_holes(memory_.get(), container_.config.memory_mib << 20); !dug)
        return give_up(dug.error().message());
    for (const Fd* file : {&memory_, &state_})
        if (fsync(file->get()) < 0)
            return give_up(Error::last("write the template").message());
    container_.lock.reset();
    container_.keeper->ask(KeeperRequest::kFinished);
    loop_.stop();
}

void TemplateMaker::give_up(const std::string& why) {
    dprintf(STDERR_FILENO, "hrun-vmm: no template was made: %s\n", why.c_str());
    loop_.stop();
}

} // namespace hrun::monitor
