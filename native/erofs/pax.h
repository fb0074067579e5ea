// SPDX-License-Identifier: Apache-2.0
// pax extended headers: "LENGTH KEY=VALUE\n" records (IEEE Std 1003.1, pax, "pax Extended Header").
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hrun::erofs {

// The last value of each key. An empty value deletes a global record (the standard says so).
using PaxRecords = std::map<std::string, std::string, std::less<>>;

// Adds the records of one header to `records`, later ones win. GNU.sparse.offset and numbytes, which
// GNU format 0.0 repeats, are joined in order into one GNU.sparse.map as format 0.1 has it.
Result<void> parse_pax(std::string_view header, PaxRecords& records);

// A decimal number of any sign.
Result<int64_t> parse_pax_number(std::string_view text);

struct PaxTime {
    int64_t seconds = 0;
    uint32_t nanoseconds = 0; // always counts forward from `seconds`
};

// "[-]SECONDS[.FRACTION]"; digits past nanoseconds are cut off.
Result<PaxTime> parse_pax_time(std::string_view text);

} // namespace hrun::erofs
