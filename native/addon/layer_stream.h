// SPDX-License-Identifier: Apache-2.0
// LayerStream: a conversion that is fed by JavaScript.
#pragma once

#include <napi.h>

#include <deque>
#include <optional>

#include "addon/conversion_thread.h"
#include "addon/layer_values.h"

namespace hrun::addon {

class LayerStream : public Napi::ObjectWrap<LayerStream> {
  public:
    static Napi::Function define(Napi::Env env);
    // Arguments: ConvertOptions.
    explicit LayerStream(const Napi::CallbackInfo& info);

  private:
    // A write that found no room: its buffer stays the caller's until the promise settles.
    struct PendingWrite {
        Napi::Reference<Napi::Uint8Array> chunk;
        size_t done;
        Napi::Promise::Deferred deferred;
    };

    Napi::Value write(const Napi::CallbackInfo& info);
    Napi::Value end(const Napi::CallbackInfo& info);
    Napi::Value abort(const Napi::CallbackInfo& info);

    void feed_pending();
    void finished(Napi::Env env);
    void reject_pending(Napi::Env env, const erofs::LayerError& error);
    bool over() const { return !thread_ && result_.has_value(); }

    erofs::FedBlobSource source_;
    std::optional<erofs::Converted<erofs::LayerSummary>> result_; // the thread's until it is joined
    std::unique_ptr<ConversionThread> thread_;                    // null once joined
    std::deque<PendingWrite> pending_;
    std::optional<Napi::Promise::Deferred> ending_;
    std::vector<Napi::Promise::Deferred> aborting_;
    bool ended_ = false, aborted_ = false;
};

} // namespace hrun::addon
