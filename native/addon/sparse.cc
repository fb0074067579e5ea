// SPDX-License-Identifier: Apache-2.0
// copySparse: an empty disk image becomes a container's own in one reflink, or in as many
// copy_file_range calls as it has extents.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "addon/error.h"
#include "addon/functions.h"
#include "base/fd.h"

namespace hrun::addon {
namespace {

// Copies bytes [start, end) through memory, for file systems without copy_file_range.
Result<void> copy_range_buffered(int from, int to, off_t start, off_t end) {
    std::string buffer(static_cast<size_t>(std::min<off_t>(end - start, 1 << 20)), '\0');
    while (start < end) {
        ssize_t got = ::pread(from, buffer.data(), std::min<off_t>(end - start, buffer.size()), start);
        if (got < 0)
            return Error::last("read");
        if (got == 0)
            return {}; // truncated meanwhile: the rest is a hole of the copy
        for (ssize_t put = 0; put < got;) {
            ssize_t n = ::pwrite(to, buffer.data() + put, got - put, start + put);
            if (n < 0)
                return Error::last("write");
            put += n;
        }
        start += got;
    }
    return {};
}

Result<void> copy_range(int from, int to, off_t start, off_t end) {
    while (start < end) {
        off_t in = start, out = start;
        ssize_t n = ::copy_file_range(from, &in, to, &out, end - start, 0);
        if (n < 0 && (errno == EXDEV || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL))
            return copy_range_buffered(from, to, start, end);
        if (n < 0)
            return Error::last("copy");
        if (n == 0)
            return {};
        start += n;
    }
    return {};
}

Result<void> copy_extents(int from, int to, off_t size) {
    for (off_t at = 0; at < size;) {
        off_t data = ::lseek(from, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return {}; // only a hole follows
        if (data < 0)
            return Error::last("find data");
        off_t hole = ::lseek(from, data, SEEK_HOLE);
        if (hole < 0)
            return Error::last("find hole");
        HRUN_TRY(copy_range(from, to, data, std::min(hole, size)));
        at = hole;
    }
    return {};
}

Result<void> copy_content(int from, int to) {
    if (::ioctl(to, FICLONE, from) == 0)
        return {};
    struct stat st;
    if (::fstat(from, &st) < 0)
        return Error::last("stat");
    if (::ftruncate(to, st.st_size) < 0)
        return Error::last("set size");
    return copy_extents(from, to, st.st_size);
}

Result<void> copy_sparse_file(const std::string& source, const std::string& target) {
    Fd from(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from.valid())
        return Error::last("open " + source);
    Fd to(::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!to.valid())
        return Error::last("create " + target);
    if (auto copied = copy_content(from.get(), to.get()); !copied)
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
