// SPDX-License-Identifier: Apache-2.0
// A token bucket as a program for the kernel's extended packet filter (bpf(2), Documentation/bpf/instruction-set.rst): what no
// classifier of the kernel counts.
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::net {

constexpr uint64_t kBurstNanoseconds = 200'000'000;

// Loads a program of type BPF_PROG_TYPE_SCHED_CLS that lets `rate` bytes a second pass on to the next filter (TC_ACT_UNSPEC) and
// drops the others (TC_ACT_SHOT). `rate` is not 0. It and its state are gone with its last user. EPERM without CAP_BPF.
Result<Fd> load_rate_program(uint64_t rate);

} // namespace hrun::net
