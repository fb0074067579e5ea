// SPDX-License-Identifier: Apache-2.0
// hrun.node: what src/native/addon.ts declares, and nothing else.
#include "addon/functions.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
    exports.Set("lockFile", Napi::Function::New(env, hrun::addon::lock_file, "lockFile"));
    exports.Set("copySparse", Napi::Function::New(env, hrun::addon::copy_sparse, "copySparse"));
    exports.Set("rawTerminal", Napi::Function::New(env, hrun::addon::raw_terminal, "rawTerminal"));
    return exports;
}

} // namespace

NODE_API_MODULE(hrun, init)
