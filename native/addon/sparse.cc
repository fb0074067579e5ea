// SPDX-License-Identifier: Apache-2.0
// copySparse: an empty disk image becomes a container's own in one reflink, or in as many
// copy_file_range calls as it has extents.
#include <fcntl.h>

#include "addon/error.h"
#include "addon/functions.h"
#include "base/fd.h"
#include "base/sparse_file.h"

namespace hrun::addon {
namespace {

Result<void> copy_sparse_file(const std::string& source, const std::string& target) {
    Fd from(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from.valid())
        return Error::last("open " + source);
    Fd to(::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!to.valid())
        return Error::last("create " + target);
    if (auto copied = hrun::copy_sparse(from.get(), to.get()); !copied)
        return Error{copied.error().code, "copy " + source + " to " + target + ", " + copied.error().what};
    return {};
}

class CopyWorker : public Napi::AsyncWorker {
  public:
    CopyWorker(Napi::Env env, std::string source, std::string target)
        : AsyncWorker(env, "copySparse"), deferred_(Napi::Promise::Deferred::New(env)),
          source_(std::move(source)), target_(std::move(target)) {}

    Napi::Promise promise() const { return deferred_.Promise(); }

  private:
    void Execute() override { result_ = copy_sparse_file(source_, target_); }
    void OnOK() override {
        if (result_)
            deferred_.Resolve(Env().Undefined());
        else
            deferred_.Reject(to_js(Env(), result_.error()).Value());
    }

    Napi::Promise::Deferred deferred_;
    std::string source_, target_;
    Result<void> result_;
};

} // namespace

Napi::Value copy_sparse(const Napi::CallbackInfo& info) {
    if (info.Length() < 2 || !info[0].IsString() || !info[1].IsString())
        return throw_type_error(info.Env(), "copySparse(sourcePath, targetPath)");
    auto* worker = new CopyWorker(info.Env(), info[0].As<Napi::String>(), info[1].As<Napi::String>());
    Napi::Promise promise = worker->promise();
    worker->Queue();
    return promise;
}

} // namespace hrun::addon
