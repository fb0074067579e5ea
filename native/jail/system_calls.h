// SPDX-License-Identifier: Apache-2.0
// Which system calls each kind of thread of the monitor needs once the guest may run: everything else ends it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace hrun::jail {

enum class ThreadKind : uint32_t {
    kEventLoop,
    kTemplateMaker, // an event loop whose guest is the system's own and has nothing of a container yet
    kVcpu,
    kDiskWorker,
    kNameServer,
    kEgressGate,
    kPortRelay
};

const char* name_of(ThreadKind kind);

// An argument of an allowed call: (argument & mask) == value. Without any, the call is allowed whatever its arguments.
struct Condition {
    unsigned argument; // 0 to 5
    uint64_t mask;
    uint64_t value;
};

struct AllowedCall {
    int number;
    std::vector<Condition> conditions; // all must hold
};

// Stands for the process that a list is made for before it is known; no process has this number (PID_MAX_LIMIT is 2^22).
constexpr pid_t kAnyProcess = 0x7fff5e1f;

// `self`: the process that the threads belong to, the only one that they may signal.
std::vector<AllowedCall> allowed_calls(ThreadKind kind, pid_t self);

} // namespace hrun::jail
