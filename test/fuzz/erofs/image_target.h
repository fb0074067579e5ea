// SPDX-License-Identifier: Apache-2.0
// Limits small enough to be reached by a fuzzer, and a file for its images.
#pragma once

#include <sys/mman.h>

#include "base/fd.h"
#include "erofs/limits.h"

namespace hrun::erofs {

inline Limits small_limits() {
    Limits limits;
    limits.max_entries = 200;
    limits.max_depth = 20;
    limits.max_header_bytes = 4096;
    limits.max_file_bytes = 16 * kMiB;
    limits.max_sparse_extents = 64;
    limits.max_link_steps = 1000;
    return limits;
}

inline int image_fd() {
    static const Fd fd(::memfd_create("image", MFD_CLOEXEC));
    return fd.get();
}

} // namespace hrun::erofs
