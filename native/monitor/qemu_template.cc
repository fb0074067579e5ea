// SPDX-License-Identifier: Apache-2.0
#include "monitor/qemu_template.h"

#include <fcntl.h>
#include <unistd.h>

#include "monitor/template_files.h"
#include "template.h"

namespace hrun::monitor {

namespace {

static_assert(TEMPLATE_SLOTS == qemu::kSlots, "the agent and the machine count slots alike");

} // namespace

QemuTemplate::QemuTemplate(EventLoop& loop, Container& container, Events events)
    : container_(container), events_(std::move(events)),
      process_(loop, container_,
               {[this](const qemu::Event& event) { handle_event(event); },
                [this] { events_.failed(process_.why_gone()); }, [this] { look_for_word(); },
                [this] { saved_ ? finish() : events_.failed(process_.why_gone()); }}) {}

Result<void> QemuTemplate::start() {
    HandedOver fds;
    auto config = prepare(fds);
    if (!config)
        return config.error();
    return process_.spawn(*config, fds);
}

Result<qemu::Config> QemuTemplate::prepare(HandedOver& fds) {
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
    for (Nic& nic : container_.nics) {
        if (!nic.backend)
            return nic.backend.error();
        if (auto said = create_file(TemplateFiles::kNic); !said)
            return said.error();
        config->nics.push_back(qemu_nic(std::move(nic), fds));
        config->nics.back().mtu = 0; // each copy has its own
    }
    return config;
}

void QemuTemplate::look_for_word() {
    if (ready_ || process_.console().last_line() != TEMPLATE_READY)
        return;
    ready_ = true;
    if (auto asked = process_.qmp().save(state_.get()); !asked)
        events_.failed(asked.error().message());
}

void QemuTemplate::handle_event(const qemu::Event& event) {
    if (event.kind == qemu::Event::Kind::kCompleted) {
        saved_ = true;
        process_.kill();
    } else if (event.kind == qemu::Event::Kind::kRefused) {
        events_.failed("QEMU says: " + event.detail);
    }
}

void QemuTemplate::finish() {
    if (auto dug = TemplateFiles::dig_holes(memory_.get(), container_.config.memory_mib << 20); !dug)
        return events_.failed(dug.error().message());
    for (const Fd* file : {&memory_, &state_})
        if (fsync(file->get()) < 0)
            return events_.failed(Error::last("write the template").message());
    events_.saved();
}

} // namespace hrun::monitor
