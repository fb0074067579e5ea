// SPDX-License-Identifier: Apache-2.0
// convertLayer and mergeLayers: conversions of blobs that are in files already.
#include <memory>

#include "addon/conversion_thread.h"
#include "addon/error.h"
#include "addon/functions.h"
#include "addon/layer_values.h"

namespace hrun::addon {
namespace {

using erofs::BlobSource;
using erofs::Conversion;
using erofs::Converted;
using erofs::FileBlobSource;

std::unique_ptr<BlobSource> blob_of(const SourceValues& source) {
    return std::make_unique<FileBlobSource>(source.fd, source.offset, source.length);
}

// Runs `convert` on its own thread; the promise settles with what it returns.
template <class Summary, class Convert>
Napi::Value run(Napi::Env env, const erofs::Limits& limits, Convert convert) {
    auto thread = std::make_shared<ConversionThread>(env, limits);
    auto result = std::make_shared<Converted<Summary>>();
    Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
    auto work = [convert = std::move(convert), result](Conversion& conversion) mutable {
        *result = convert(conversion);
    };
    // Holding `thread` here keeps it until the end.
    auto done = [thread, result, deferred](Napi::Env js) { settle(js, deferred, *result); };
    thread->start(std::move(work), std::move(done));
    return deferred.Promise();
}

bool read_sources(Napi::Value value, std::vector<SourceValues>& sources) {
    if (!value.IsArray())
        return false;
    Napi::Array array = value.As<Napi::Array>();
    sources.resize(array.Length());
    for (uint32_t i = 0; i < array.Length(); i++)
        if (!read_source(array.Get(i), sources[i]))
            return false;
    return true;
}

} // namespace

Napi::Value convert_layer(const Napi::CallbackInfo& info) {
    SourceValues source;
    OptionValues options;
    if (!read_source(info[0], source) || !read_options(info[1], options))
        return throw_type_error(info.Env(), "convertLayer({ fd, offset, length }, { outputFd, … })");
    return run<erofs::LayerSummary>(info.Env(), options.limits, [=](Conversion& conversion) {
        std::unique_ptr<BlobSource> blob = blob_of(source);
        return conversion.convert(*blob, options.output_fd, options.blob_fd);
    });
}

Napi::Value merge_layers(const Napi::CallbackInfo& info) {
    std::vector<SourceValues> sources;
    OptionValues options;
    if (!read_sources(info[0], sources) || !read_options(info[1], options))
        return throw_type_error(info.Env(), "mergeLayers([{ fd, offset, length }], { outputFd, bottom })");
    return run<erofs::MergeSummary>(info.Env(), options.limits, [=](Conversion& conversion) {
        std::vector<std::unique_ptr<BlobSource>> blobs;
        for (const SourceValues& source : sources)
            blobs.push_back(blob_of(source));
        return conversion.merge(std::move(blobs), options.output_fd, options.bottom);
    });
}

Napi::Value join_directories(const Napi::CallbackInfo& info) {
    OptionValues options;
    std::vector<int> images;
    bool ok = info[0].IsArray() && read_options(info[1], options);
    for (uint32_t i = 0; ok && i < info[0].As<Napi::Array>().Length(); i++) {
        Napi::Value fd = info[0].As<Napi::Array>().Get(i);
        ok = fd.IsNumber();
        if (ok)
            images.push_back(fd.As<Napi::Number>().Int32Value());
    }
    if (!ok)
        return throw_type_error(info.Env(), "joinDirectories([fd], { outputFd })");
    return run<erofs::JoinSummary>(info.Env(), options.limits,
                                   [=](Conversion&) { return Conversion::join(images, options.output_fd); });
}

} // namespace hrun::addon
