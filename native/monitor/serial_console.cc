// SPDX-License-Identifier: Apache-2.0
#include "monitor/serial_console.h"

#include "monitor/container.h"

namespace hrun::monitor {

Result<std::unique_ptr<SerialConsole>> SerialConsole::open(EventLoop& loop, Events events) {
    std::unique_ptr<SerialConsole> serial(new SerialConsole(std::move(events)));
    auto console = Console::open(kContainerDirectory, serial->events_.panicked);
    if (!console)
        return console.error();
    serial->console_ = std::move(*console);
    auto filled = EventFd::create();
    if (!filled)
        return filled.error();
    serial->buffer_.emplace(std::move(*filled));
    auto watch = loop.watch(serial->buffer_->filled().get(), EPOLLIN,
                            [console = serial.get()](uint32_t) { console->read(); });
    if (!watch)
        return watch.error();
    serial->watch_ = std::move(*watch);
    return serial;
}

void SerialConsole::read() {
    console_->append(buffer_->take());
    if (events_.said)
        events_.said();
}

} // namespace hrun::monitor
