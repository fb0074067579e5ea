// SPDX-License-Identifier: Apache-2.0
// How a native failure becomes a JavaScript one: NativeError of src/native/addon.ts.
#pragma once

#include <napi.h>

#include "base/result.h"

namespace hrun::addon {

// An Error whose `code` is the errno's name, e.g. ENOENT.
Napi::Error to_js(Napi::Env env, const Error& error);

// Throws a TypeError for an argument of the wrong type: a bug in the calling TypeScript.
Napi::Value throw_type_error(Napi::Env env, const char* message);

} // namespace hrun::addon
