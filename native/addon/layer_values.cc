// SPDX-License-Identifier: Apache-2.0
#include "addon/layer_values.h"

#include <cstring>

namespace hrun::addon {
namespace {

// A property that is a number from 0 on, exactly an integer.
bool read_integer(Napi::Object object, const char* name, uint64_t& to) {
    Napi::Value value = object.Get(name);
    if (!value.IsNumber())
        return false;
    const double number = value.As<Napi::Number>().DoubleValue();
    constexpr double kMaxSafeInteger = 9007199254740991;
    if (!(number >= 0 && number <= kMaxSafeInteger))
        return false;
    to = static_cast<uint64_t>(number);
    return true;
}

bool read_fd(Napi::Object object, const char* name, int& to) {
    uint64_t fd = 0;
    if (!read_integer(object, name, fd) || fd > INT32_MAX)
        return false;
    to = static_cast<int>(fd);
    return true;
}

bool is_missing(Napi::Object object, const char* name) {
    return object.Get(name).IsUndefined();
}

bool read_limits(Napi::Value value, erofs::Limits& limits) {
    if (value.IsUndefined())
        return true;
    if (!value.IsObject())
        return false;
    struct {
        const char* name;
        uint64_t* to;
    } const fields[] = {
        {"maxTarBytes", &limits.max_tar_bytes},       {"maxRatio", &limits.max_ratio},
        {"maxEntries", &limits.max_entries},          {"maxDepth", &limits.max_depth},
        {"maxHeaderBytes", &limits.max_header_bytes}, {"maxFileBytes", &limits.max_file_bytes}};
    Napi::Object object = value.As<Napi::Object>();
    for (auto& [name, to] : fields)
        if (!is_missing(object, name) && !read_integer(object, name, *to))
            return false;
    return limits.max_ratio > 0;
}

const char* code_name(int code) {
    switch (code) {
    case erofs::kLayerCorrupt:
        return "LAYER_CORRUPT";
    case erofs::kLayerLimit:
        return "LAYER_LIMIT";
    case erofs::kLayerAborted:
        return "LAYER_ABORTED";
    default:
        const char* name = strerrorname_np(code);
        return name ? name : "EIO";
    }
}

// Paths may hold any bytes but a message must be one line of text.
std::string printable(const std::string& text) {
    std::string safe;
    for (char c : text)
        safe += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return safe;
}

} // namespace

bool read_source(Napi::Value value, SourceValues& source) {
    if (!value.IsObject())
        return false;
    Napi::Object object = value.As<Napi::Object>();
    return read_fd(object, "fd", source.fd) && read_integer(object, "offset", source.offset) &&
           read_integer(object, "length", source.length);
}

bool read_options(Napi::Value value, OptionValues& options) {
    if (!value.IsObject())
        return false;
    Napi::Object object = value.As<Napi::Object>();
    if (!is_missing(object, "blobFd") && !read_fd(object, "blobFd", options.blob_fd))
        return false;
    options.bottom = object.Get("bottom").ToBoolean();
    return read_fd(object, "outputFd", options.output_fd) &&
           read_limits(object.Get("limits"), options.limits);
}

Napi::Object to_js(Napi::Env env, const erofs::LayerSummary& summary) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("blobSha256", erofs::to_hex(summary.digests.blob));
    object.Set("blobBytes", static_cast<double>(summary.digests.blob_bytes));
    object.Set("tarSha256", erofs::to_hex(summary.digests.tar));
    object.Set("tarBytes", static_cast<double>(summary.digests.tar_bytes));
    object.Set("erofsBytes", static_cast<double>(summary.erofs_bytes));
    object.Set("entries", static_cast<double>(summary.entries));
    return object;
}

Napi::Object to_js(Napi::Env env, const erofs::MergeSummary& summary) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("erofsBytes", static_cast<double>(summary.erofs_bytes));
    object.Set("entries", static_cast<double>(summary.entries));
    return object;
}

Napi::Object to_js(Napi::Env env, const erofs::JoinSummary& summary) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("merge", static_cast<double>(summary.merge));
    object.Set("lowest", static_cast<double>(summary.lowest));
    object.Set("erofsBytes", static_cast<double>(summary.erofs_bytes));
    return object;
}

Napi::Value to_js(Napi::Env env, const erofs::LayerError& error) {
    Napi::Error js = Napi::Error::New(env, printable(error.message));
    js.Set("code", Napi::String::New(env, code_name(error.code)));
    if (!error.path.empty())
        js.Set("path", Napi::String::New(env, error.path));
    return js.Value();
}

} // namespace hrun::addon
