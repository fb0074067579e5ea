// SPDX-License-Identifier: Apache-2.0
// The guest's virtiofs device (virtio 1.2, 5.11) under the kvm engine: virtiofsd serves its queues.
#pragma once

#include "transport/vhost_user_device.h"
#include "vmm/machine_memory.h"

namespace hrun::monitor {

// `socket` is virtiofsd's (share_daemon.h). `failed` is told what to tell the user when it serves no more.
std::unique_ptr<vhost_user::RemoteDevice> make_share_device(EventLoop& loop, Fd socket,
                                                            std::function<void(std::string)> failed);

// Waits until the daemon is there, before the guest runs; the error says what is wrong with it.
Result<void> connect_share_device(vhost_user::RemoteDevice& device, const vmm::MachineMemory& memory);

} // namespace hrun::monitor
