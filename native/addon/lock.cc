// SPDX-License-Identifier: Apache-2.0
// lockFile: flock(2) on an open file description of its own, so that two locks taken in one process
// exclude each other as two processes do.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <memory>
#include <thread>

#include "addon/error.h"
#include "addon/functions.h"
#include "base/fd.h"

namespace hrun::addon {
namespace {

int flock_retrying(int fd, int operation) {
    int rc;
    do
        rc = ::flock(fd, operation);
    while (rc < 0 && errno == EINTR);
    return rc;
}

// A lock on a file that was unlinked or replaced while we waited protects nothing.
bool still_named(int fd, const std::string& path) {
    struct stat held, named;
    return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

// The locked descriptor; EWOULDBLOCK when LOCK_NB is given and somebody else holds the lock.
Result<Fd> lock_path(const std::string& path, int operation) {
    for (;;) {
        Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600));
        if (!fd.valid())
            return Error::last("open lock file " + path);
        if (flock_retrying(fd.get(), operation) < 0)
            return Error::last("lock " + path);
        if (still_named(fd.get(), path))
            return fd;
    }
}

// The `FileLock` object. Garbage collection does not release it: only release() or the process's end does.
Napi::Object file_lock_object(Napi::Env env, Fd fd) {
    auto held = std::make_shared<int>(fd.release());
    Napi::Object lock = Napi::Object::New(env);
    auto release = [held](const Napi::CallbackInfo&) { Fd(std::exchange(*held, -1)).reset(); };
    lock.Set("release", Napi::Function::New(env, release, "release"));
    return lock;
}

// Waits on a thread of its own: the pool's few threads must stay free for whoever has to let go of the lock.
class LockWaiter {
  public:
    static Napi::Value start(Napi::Env env, std::string path, int operation) {
        auto* waiter = new LockWaiter(env, std::move(path), operation);
        Napi::Promise promise = waiter->deferred_.Promise();
        std::thread([waiter] { waiter->wait(); }).detach();
        return promise;
    }

  private:
    LockWaiter(Napi::Env env, std::string path, int operation)
        : deferred_(Napi::Promise::Deferred::New(env)), path_(std::move(path)), operation_(operation),
          settle_(Napi::ThreadSafeFunction::New(env, Napi::Function(), "lockFile", 0, 1)) {}

    void wait() {
        result_ = lock_path(path_, operation_);
        Napi::ThreadSafeFunction settle = settle_; // `this` may be gone once the call is queued
        settle.BlockingCall(this, [](Napi::Env env, Napi::Function, LockWaiter* self) { self->finish(env); });
        settle.Release();
    }

    void finish(Napi::Env env) {
        std::unique_ptr<LockWaiter> owner(this);
        if (result_)
            deferred_.Resolve(file_lock_object(env, std::move(*result_)));
        else
            deferred_.Reject(to_js(env, result_.error()).Value());
    }

    Napi::Promise::Deferred deferred_;
    std::string path_;
    int operation_;
    Napi::ThreadSafeFunction settle_;
    Result<Fd> result_ = Error{ECANCELED, "lock"};
};

} // namespace

Napi::Value lock_file(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (info.Length() < 2 || !info[0].IsString() || !info[1].IsObject())
        return throw_type_error(env, "lockFile(path, { shared, wait })");
    std::string path = info[0].As<Napi::String>();
    Napi::Object options = info[1].As<Napi::Object>();
    int operation = options.Get("shared").ToBoolean() ? LOCK_SH : LOCK_EX;
    if (options.Get("wait").ToBoolean())
        return LockWaiter::start(env, std::move(path), operation);
    Result<Fd> fd = lock_path(path, operation | LOCK_NB);
    if (fd)
        return file_lock_object(env, std::move(*fd));
    if (fd.error().code == EWOULDBLOCK)
        return env.Null();
    to_js(env, fd.error()).ThrowAsJavaScriptException();
    return env.Undefined();
}

} // namespace hrun::addon
