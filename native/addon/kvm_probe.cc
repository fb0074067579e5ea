// SPDX-License-Identifier: Apache-2.0
// probeKvm: what this host's KVM is worth. A worker of the pool makes the measurement.
#include "addon/error.h"
#include "addon/functions.h"
#include "vmm/probe.h"

namespace hrun::addon {
namespace {

Result<vmm::Probe> probe_host() {
    Result<kvm::System> system = kvm::System::open();
    if (!system)
        return system.error();
    return vmm::probe(*system);
}

Napi::Object probe_object(Napi::Env env, const vmm::Probe& probe) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("apiVersion", probe.api_version);
    object.Set("maxVcpus", probe.max_vcpus);
    object.Set("maxMemorySlots", probe.max_memory_slots);
    Napi::Array missing = Napi::Array::New(env, probe.missing.size());
    for (uint32_t i = 0; i < probe.missing.size(); ++i)
        missing.Set(i, probe.missing[i]);
    object.Set("missing", missing);
    object.Set("instructionsPerSecond", probe.instructions_per_second);
    object.Set("hardware", probe.hardware);
    object.Set("elapsedMs", static_cast<double>(probe.elapsed_ns) / 1e6);
    return object;
}

class ProbeWorker : public Napi::AsyncWorker {
  public:
    explicit ProbeWorker(Napi::Env env)
        : AsyncWorker(env, "probeKvm"), deferred_(Napi::Promise::Deferred::New(env)) {}
    Napi::Promise promise() const { return deferred_.Promise(); }

  private:
    void Execute() override { result_ = probe_host(); }
    void OnOK() override {
        if (result_)
            deferred_.Resolve(probe_object(Env(), *result_));
        else
            deferred_.Reject(to_js(Env(), result_.error()).Value());
    }

    Napi::Promise::Deferred deferred_;
    Result<vmm::Probe> result_ = Error{ECANCELED, "probe KVM"};
};

} // namespace

Napi::Value probe_kvm(const Napi::CallbackInfo& info) {
    auto* worker = new ProbeWorker(info.Env());
    Napi::Promise promise = worker->promise();
    worker->Queue();
    return promise;
}

} // namespace hrun::addon
