// SPDX-License-Identifier: Apache-2.0
// Between the JavaScript values of src/native/addon.ts and the converter's plain structs.
#pragma once

#include <napi.h>

#include "erofs/converter.h"

namespace hrun::addon {

struct SourceValues {
    int fd = -1;
    uint64_t offset = 0, length = 0;
};

struct OptionValues {
    int output_fd = -1, blob_fd = -1;
    bool bottom = false;
    erofs::Limits limits;
};

// False if the value is not a LayerSource or not the options; the caller throws.
bool read_source(Napi::Value value, SourceValues& source);
bool read_options(Napi::Value value, OptionValues& options);

Napi::Object to_js(Napi::Env env, const erofs::LayerSummary& summary);
Napi::Object to_js(Napi::Env env, const erofs::MergeSummary& summary);
Napi::Object to_js(Napi::Env env, const erofs::JoinSummary& summary);
// An Error with `code` and, if known, `path`.
Napi::Value to_js(Napi::Env env, const erofs::LayerError& error);

// Settles the promise by how the conversion ended.
template <class Summary>
void settle(Napi::Env env, const Napi::Promise::Deferred& deferred, const erofs::Converted<Summary>& result) {
    if (auto* error = std::get_if<erofs::LayerError>(&result))
        deferred.Reject(to_js(env, *error));
    else
        deferred.Resolve(to_js(env, std::get<Summary>(result)));
}

} // namespace hrun::addon
