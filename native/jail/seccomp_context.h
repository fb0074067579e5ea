// SPDX-License-Identifier: Apache-2.0
// libseccomp's builder of filters, owned.
#pragma once

#include <linux/filter.h>
#include <seccomp.h>

#include <memory>
#include <vector>

#include "base/result.h"

namespace hrun::jail {

using SeccompContext = std::unique_ptr<void, decltype(&seccomp_release)>;

// A builder whose filters answer `otherwise` to calls without a rule, and death to calls of another architecture.
Result<SeccompContext> create_seccomp_context(uint32_t otherwise);
Result<std::vector<sock_filter>> export_program(const SeccompContext& context);

} // namespace hrun::jail
