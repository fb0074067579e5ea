// SPDX-License-Identifier: Apache-2.0
#include "addon/layer_stream.h"

#include "addon/error.h"
#include "addon/functions.h"

namespace hrun::addon {

using erofs::LayerError;

Napi::Function LayerStream::define(Napi::Env env) {
    return DefineClass(env, "LayerStream",
                       {InstanceMethod("write", &LayerStream::write),
                        InstanceMethod("end", &LayerStream::end),
                        InstanceMethod("abort", &LayerStream::abort)});
}

LayerStream::LayerStream(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    OptionValues options;
    if (!read_options(info[0], options)) {
        throw_type_error(info.Env(), "openLayerStream({ outputFd, … })");
        return;
    }
    thread_ = std::make_unique<ConversionThread>(info.Env(), options.limits);
    source_.on_room([this] { thread_->post([this](Napi::Env) { feed_pending(); }); });
    Ref(); // alive as long as its thread
    thread_->start(
        [this, options](erofs::Conversion& conversion) {
            result_ = conversion.convert(source_, options.output_fd, options.blob_fd);
        },
        [this](Napi::Env env) { finished(env); });
}

Napi::Value LayerStream::write(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
        return throw_type_error(env, "write(chunk: Uint8Array)");
    if (ended_)
        return throw_type_error(env, "write() after end()");
    Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
    if (over() || aborted_) {
        const auto* error = over() ? std::get_if<LayerError>(&*result_) : nullptr;
        deferred.Reject(
            to_js(env, error ? *error : LayerError{erofs::kLayerAborted, erofs::aborted().what, ""}));
        return deferred.Promise();
    }
    auto chunk = info[0].As<Napi::Uint8Array>();
    const size_t taken = pending_.empty() ? source_.offer(chunk.Data(), chunk.ByteLength()) : 0;
    if (taken == chunk.ByteLength())
        deferred.Resolve(env.Undefined());
    else
        pending_.push_back({Napi::Persistent(chunk), taken, deferred});
    return deferred.Promise();
}

// Called when there is room again.
void LayerStream::feed_pending() {
    while (!pending_.empty()) {
        PendingWrite& write = pending_.front();
        Napi::HandleScope scope(Env());
        Napi::Uint8Array chunk = write.chunk.Value();
        write.done += source_.offer(chunk.Data() + write.done, chunk.ByteLength() - write.done);
        if (write.done < chunk.ByteLength())
            return;
        write.deferred.Resolve(Env().Undefined());
        pending_.pop_front();
    }
    if (ended_)
        source_.end();
}

Napi::Value LayerStream::end(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (ended_)
        return throw_type_error(env, "end() twice");
    ended_ = true;
    ending_ = Napi::Promise::Deferred::New(env);
    if (over())
        settle(env, *ending_, *result_);
    else if (pending_.empty())
        source_.end();
    return ending_->Promise();
}

Napi::Value LayerStream::abort(const Napi::CallbackInfo& info) {
    Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(info.Env());
    if (over()) {
        deferred.Resolve(info.Env().Undefined());
        return deferred.Promise();
    }
    aborted_ = true;
    thread_->cancel();
    aborting_.push_back(deferred);
    return deferred.Promise();
}

// The thread is joined: everybody who waits is answered.
void LayerStream::finished(Napi::Env env) {
    std::unique_ptr<ConversionThread> thread = std::move(thread_); // destroyed last
    Napi::HandleScope scope(env);
    if (auto* error = std::get_if<LayerError>(&*result_))
        reject_pending(env, *error);
    if (ending_)
        settle(env, *ending_, *result_);
    for (Napi::Promise::Deferred& deferred : aborting_)
        deferred.Resolve(env.Undefined());
    aborting_.clear();
    Unref();
}

void LayerStream::reject_pending(Napi::Env env, const LayerError& error) {
    for (PendingWrite& write : pending_)
        write.deferred.Reject(to_js(env, error));
    pending_.clear();
}

Napi::Value open_layer_stream(const Napi::CallbackInfo& info) {
    Napi::Function constructor = LayerStream::define(info.Env());
    return constructor.New({info[0]});
}

} // namespace hrun::addon
