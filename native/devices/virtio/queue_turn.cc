// SPDX-License-Identifier: Apache-2.0
#include "devices/virtio/queue_turn.h"

namespace hrun::virtio {

Turn take_turn(const Activation& activation, uint16_t index, int limit, DescriptorChain& chain,
               const ChainHandler& handle) {
    if (index >= activation.queues.size() || !activation.queues[index].ready())
        return Turn::kDone;
    Virtqueue& queue = activation.queues[index];
    queue.disable_notifications();
    Turn turn = Turn::kMore;
    bool broken = false;
    for (int left = limit; left > 0 && turn == Turn::kMore;) {
        const Virtqueue::Pop pop = queue.pop(chain);
        if (pop == Virtqueue::Pop::kEmpty && queue.enable_notifications())
            continue;
        if (pop != Virtqueue::Pop::kChain) {
            broken = pop == Virtqueue::Pop::kBroken;
            turn = Turn::kDone;
            break;
        }
        --left;
        if (const std::optional<uint32_t> written = handle(chain)) {
            queue.push(chain.head, *written);
        } else {
            queue.unpop(1);
            turn = Turn::kHeld;
        }
    }
    if (queue.publish())
        activation.interrupt->signal_queue(index);
    if (broken)
        activation.interrupt->signal_broken(index);
    return turn;
}

} // namespace hrun::virtio
