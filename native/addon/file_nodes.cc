// SPDX-License-Identifier: Apache-2.0
// What Node.js cannot ask of a file system and an archive must: extended attributes, nodes that are no files, holes.
// Paths are buffers: a name is bytes, not text.
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <string>
#include <vector>

#include "addon/error.h"
#include "addon/functions.h"

namespace hrun::addon {
namespace {

constexpr size_t kMaxExtents = 1024;

std::string bytes_of(const Napi::Value& value) {
    auto buffer = value.As<Napi::Buffer<char>>();
    return std::string(buffer.Data(), buffer.Length());
}

Napi::Value throw_error(Napi::Env env, const Error& error) {
    to_js(env, error).ThrowAsJavaScriptException();
    return env.Undefined();
}

// Names with a NUL behind each; none where the file system has no attributes.
Result<std::string> attribute_names(const std::string& path) {
    std::string names(XATTR_LIST_MAX, '\0');
    ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
    if (length < 0 && errno != EOPNOTSUPP)
        return Error::last("list the attributes of " + path);
    names.resize(length < 0 ? 0 : static_cast<size_t>(length));
    return names;
}

// Where the file has data; empty when there are too many pieces to be worth it.
std::vector<std::pair<off_t, off_t>> data_extents_of(int fd, off_t size) {
    std::vector<std::pair<off_t, off_t>> extents;
    for (off_t at = 0; at < size;) {
        off_t data = ::lseek(fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return extents;
        off_t hole = data < 0 ? -1 : ::lseek(fd, data, SEEK_HOLE);
        if (hole <= data || extents.size() == kMaxExtents)
            return {{0, size}};
        hole = std::min(hole, size);
        extents.emplace_back(data, hole - data);
        at = hole;
    }
    return extents;
}

} // namespace

Napi::Value read_xattrs(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (info.Length() < 1 || !info[0].IsBuffer())
        return throw_type_error(env, "readXattrs(path)");
    std::string path = bytes_of(info[0]);
    auto names = attribute_names(path);
    if (!names)
        return throw_error(env, names.error());
    Napi::Array attributes = Napi::Array::New(env);
    std::string value(XATTR_SIZE_MAX, '\0');
    for (size_t at = 0; at < names->size(); at += strlen(&(*names)[at]) + 1) {
        const char* name = &(*names)[at];
        ssize_t length = ::lgetxattr(path.c_str(), name, value.data(), value.size());
        if (length < 0)
            continue; // it is gone, or not for us to read
        Napi::Object attribute = Napi::Object::New(env);
        attribute.Set("name", name);
        attribute.Set("value", Napi::Buffer<char>::Copy(env, value.data(), static_cast<size_t>(length)));
        attributes.Set(attributes.Length(), attribute);
    }
    return attributes;
}

Napi::Value set_xattr(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (info.Length() < 3 || !info[0].IsBuffer() || !info[1].IsString() || !info[2].IsBuffer())
        return throw_type_error(env, "setXattr(path, name, value)");
    std::string path = bytes_of(info[0]), name = info[1].As<Napi::String>(), value = bytes_of(info[2]);
    if (::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0) < 0)
        return throw_error(env, Error::last("set " + name + " of " + path));
    return env.Undefined();
}

Napi::Value make_node(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (info.Length() < 4 || !info[0].IsBuffer() || !info[1].IsNumber() || !info[2].IsNumber() ||
        !info[3].IsNumber())
        return throw_type_error(env, "makeNode(path, mode, major, minor)");
    std::string path = bytes_of(info[0]);
    auto number = [&](size_t index) { return info[index].As<Napi::Number>().Uint32Value(); };
    if (::mknod(path.c_str(), number(1), makedev(number(2), number(3))) < 0)
        return throw_error(env, Error::last("make " + path));
    return env.Undefined();
}

Napi::Value data_extents(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (info.Length() < 2 || !info[0].IsNumber() || !info[1].IsNumber())
        return throw_type_error(env, "dataExtents(fd, size)");
    int fd = info[0].As<Napi::Number>().Int32Value();
    Napi::Array result = Napi::Array::New(env);
    for (auto [start, length] : data_extents_of(fd, info[1].As<Napi::Number>().Int64Value())) {
        Napi::Array extent = Napi::Array::New(env, 2);
        extent.Set(0u, Napi::Number::New(env, static_cast<double>(start)));
        extent.Set(1u, Napi::Number::New(env, static_cast<double>(length)));
        result.Set(result.Length(), extent);
    }
    return result;
}

} // namespace hrun::addon
