// SPDX-License-Identifier: Apache-2.0
// One conversion on a thread of its own, so that it holds none of the thread pool's few, and the way back
// to the JavaScript thread.
#pragma once

#include <napi.h>

#include <functional>
#include <thread>

#include "erofs/converter.h"

namespace hrun::addon {

class ConversionThread {
  public:
    using Work = std::function<void(erofs::Conversion&)>;
    using Callback = std::function<void(Napi::Env)>;

    ConversionThread(Napi::Env env, const erofs::Limits& limits);
    // Cancels and joins.
    ~ConversionThread();
    ConversionThread(const ConversionThread&) = delete;
    ConversionThread& operator=(const ConversionThread&) = delete;

    // Runs `work` on the thread, then `done` on the JavaScript thread, with the thread joined. Once.
    void start(Work work, Callback done);
    // Runs `callback` on the JavaScript thread, in order with others. From any thread, until `work` returns.
    void post(Callback callback);
    // Makes the conversion fail with kLayerAborted.
    void cancel() { conversion_.cancel(); }

  private:
    void stop();

    Napi::Env env_;
    erofs::Conversion conversion_;
    Napi::ThreadSafeFunction to_js_;
    std::thread thread_;
    std::function<void()> at_exit_;
};

} // namespace hrun::addon
