// SPDX-License-Identifier: Apache-2.0
// The console between any driver and a host that reads in fits and starts. No byte may be taken twice.
#include "devices/virtio/console.h"

#include "script.h"

using namespace hrun;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const fuzz::Memory memory;
    auto loop = std::move(*EventLoop::create());
    fuzz::Script script(data, size);
    size_t room = 100;
    virtio::ConsoleDevice console(*loop, {[&](std::span<const char> bytes) {
        const size_t count = std::min(bytes.size(), room);
        room -= count;
        return count;
    }});
    fuzz::Driver(memory, console).run(script, *loop, [&](fuzz::Script& rest) {
        const auto what = rest.take<uint8_t>();
        char input[600] = {};
        if (what & 1 && console.receive({input, what * 4u % sizeof input}) > what * 4u % sizeof input)
            abort();
        if (what & 2)
            console.resize(what, what);
        if (what & 4) {
            room = what * 64u;
            console.output_ready();
        }
    });
    return 0;
}
