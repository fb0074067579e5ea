// SPDX-License-Identifier: Apache-2.0
// The balloon; the rings themselves may be given away.
#include "devices/virtio/balloon.h"

#include "script.h"

using namespace hrun;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const fuzz::Memory memory;
    auto loop = std::move(*EventLoop::create());
    fuzz::Script script(data, size);
    virtio::BalloonDevice balloon(*loop, [](const virtio::BalloonStats&) {});
    fuzz::Driver(memory, balloon).run(script, *loop, [&](fuzz::Script& rest) {
        if (rest.take<uint8_t>() & 1)
            balloon.request_stats();
        else
            balloon.set_target(rest.take<uint8_t>());
    });
    return 0;
}
