// SPDX-License-Identifier: Apache-2.0
#include "addon/conversion_thread.h"

#include <memory>

namespace hrun::addon {
namespace {

void stop_at_exit(void* thread_stopper) {
    (*static_cast<std::function<void()>*>(thread_stopper))();
}

} // namespace

ConversionThread::ConversionThread(Napi::Env env, const erofs::Limits& limits)
    : env_(env), conversion_(limits),
      to_js_(Napi::ThreadSafeFunction::New(env, Napi::Function(), "hrun conversion", 0, 1)),
      at_exit_([this] { stop(); }) {
    napi_add_env_cleanup_hook(env_, stop_at_exit, &at_exit_);
}

ConversionThread::~ConversionThread() {
    stop();
    napi_remove_env_cleanup_hook(env_, stop_at_exit, &at_exit_);
}

void ConversionThread::stop() {
    conversion_.cancel();
    if (thread_.joinable())
        thread_.join();
}

void ConversionThread::start(Work work, Callback done) {
    auto finish = [this, done = std::move(done)](Napi::Env env) {
        thread_.join();
        to_js_.Release();
        done(env); // may destroy *this
    };
    thread_ = std::thread([this, work = std::move(work), finish = std::move(finish)] {
        work(conversion_);
        post(finish);
    });
}

void ConversionThread::post(Callback callback) {
    auto* posted = new Callback(std::move(callback));
    auto call = [](Napi::Env env, Napi::Function, Callback* queued) {
        std::unique_ptr<Callback> owner(queued);
        if (env != nullptr) // null while the environment is torn down
            (*owner)(env);
    };
    if (to_js_.BlockingCall(posted, call) != napi_ok)
        delete posted;
}

} // namespace hrun::addon
