// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/rng.h"

#include "script.h"

using namespace hrun;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const fuzz::Memory memory;
    auto loop = std::move(*EventLoop::create());
    fuzz::Script script(data, size);
    virtio::RngDevice rng(*loop);
    fuzz::Driver(memory, rng).run(script, *loop, [](fuzz::Script&) {});
    return 0;
}
