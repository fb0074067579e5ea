// SPDX-License-Identifier: Apache-2.0
#include "addon/error.h"

#include <cstring>

namespace hrun::addon {

Napi::Error to_js(Napi::Env env, const Error& error) {
    Napi::Error js = Napi::Error::New(env, error.message());
    const char* name = strerrorname_np(error.code);
    js.Set("code", Napi::String::New(env, name ? name : "EIO"));
    return js;
}

Napi::Value throw_type_error(Napi::Env env, const char* message) {
    Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
    return env.Undefined();
}

} // namespace hrun::addon
