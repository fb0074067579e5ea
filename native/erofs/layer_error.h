// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a layer, as opposed to the host: codes above every errno, so that one Error
// carries either.
#pragma once

#include <string>

#include "base/result.h"

namespace hrun::erofs {

// The kernel's errnos end at 4095 (MAX_ERRNO).
enum LayerErrorCode : int {
    kLayerCorrupt = 4096, // gzip, zstd or tar broken or truncated
    kLayerLimit,          // a limit was passed; the text names it
    kLayerAborted,
};

inline Error corrupt(std::string what) {
    return Error{kLayerCorrupt, std::move(what)};
}
inline Error over_limit(std::string what) {
    return Error{kLayerLimit, std::move(what)};
}
inline Error aborted() {
    return Error{kLayerAborted, "the conversion was aborted"};
}

// A failed conversion as its caller sees it.
struct LayerError {
    int code = 0;        // errno or LayerErrorCode
    std::string message; // one line
    std::string path;    // the entry that was being read, or empty
};

} // namespace hrun::erofs
