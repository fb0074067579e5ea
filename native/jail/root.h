// SPDX-License-Identifier: Apache-2.0
// The file system that a jailed process sees: one directory, and nothing above it.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace hrun::jail {

// Mounts made from here on stay in this mount namespace.
Result<void> make_mounts_private();

// The working directory becomes the root of this mount namespace, which has nothing else: no devices, no programs that can
// be executed, no way up. Descriptors of directories opened before still lead out: the caller closes them. `read_only`: a
// directory in it that can be neither written to nor renamed or removed from in there; null when there is none.
Result<void> confine_to_working_directory(const char* read_only = nullptr);

// What is mounted as `mount`, attached in this namespace, becomes the root; the old one is gone.
Result<void> change_root(const Fd& mount);

} // namespace hrun::jail
