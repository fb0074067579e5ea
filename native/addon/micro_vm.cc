// SPDX-License-Identifier: Apache-2.0
// createMicroVm, restoreMicroVm: a machine in this process. JavaScript values become a plain configuration before any thread runs;
// what the machine's device thread has to say comes back through one thread-safe function.
#include <memory>
#include <optional>
#include <thread>

#include "addon/error.h"
#include "addon/functions.h"
#include "vmm/embedded_machine.h"

namespace hrun::addon {
namespace {

using JsCall = std::function<void(Napi::Env)>;
using Deferred = std::shared_ptr<Napi::Promise::Deferred>;

const char* reason_name(vmm::End::Reason reason) {
    switch (reason) {
    case vmm::End::Reason::kReset:
        return "reset";
    case vmm::End::Reason::kTripleFault:
        return "triple-fault";
    case vmm::End::Reason::kError:
        return "error";
    case vmm::End::Reason::kStopped:
        return "stopped";
    }
    return "error";
}

std::string string_or(const Napi::Object& object, const char* key, const char* otherwise) {
    const Napi::Value value = object.Get(key);
    return value.IsString() ? value.As<Napi::String>().Utf8Value() : otherwise;
}

uint32_t number_or(const Napi::Object& object, const char* key, uint32_t otherwise) {
    const Napi::Value value = object.Get(key);
    return value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : otherwise;
}

vmm::EmbeddedConfig read_config(const Napi::Object& object) {
    vmm::EmbeddedConfig config;
    config.machine.kernel = string_or(object, "kernel", "");
    config.machine.initrd = string_or(object, "initrd", "");
    config.machine.command_line = string_or(object, "commandLine", "");
    config.machine.vcpus = number_or(object, "vcpus", 1);
    config.machine.memory = uint64_t{number_or(object, "memoryMiB", 128)} << 20;
    const Napi::Value vsock = object.Get("vsock");
    if (vsock.IsObject()) {
        config.vsock = true;
        config.vsock_slot = number_or(vsock.As<Napi::Object>(), "slot", 0);
        config.vsock_cid = number_or(vsock.As<Napi::Object>(), "cid", 3);
    }
    return config;
}

// The machine and its way back into JavaScript. The thread-safe function is unreferenced once the machine is gone.
class MicroVm : public std::enable_shared_from_this<MicroVm> {
  public:
    static Napi::Promise create(Napi::Env env, vmm::EmbeddedConfig config, Napi::Value on_console) {
        auto self = std::make_shared<MicroVm>(env, on_console);
        auto built = std::make_shared<Napi::Promise::Deferred>(Napi::Promise::Deferred::New(env));
        self->launch(std::move(config), built);
        return built->Promise();
    }

    MicroVm(Napi::Env env, Napi::Value on_console)
        : calls_(Napi::ThreadSafeFunction::New(env, Napi::Function(), "MicroVm", 0, 1)), env_(env) {
        napi_add_env_cleanup_hook(env, environment_ends, this);
        if (on_console.IsFunction())
            on_console_ =
                std::make_shared<Napi::FunctionReference>(Napi::Persistent(on_console.As<Napi::Function>()));
    }

    // Also when nobody called stop(): the object was collected, or its environment ends.
    ~MicroVm() { release(); }

  private:
    void launch(vmm::EmbeddedConfig config, const Deferred& built) {
        auto self = shared_from_this();
        vmm::EmbeddedMachine::Events events{
            [this](std::string bytes) {
                if (on_console_)
                    to_js_thread([reference = on_console_, bytes = std::move(bytes)](Napi::Env env) {
                        reference->Call({Napi::Buffer<char>::Copy(env, bytes.data(), bytes.size())});
                    });
            },
            [this](const vmm::End& end) {
                to_js_thread(
                    [deferred = ended_, end](Napi::Env env) { (*deferred)->Resolve(end_object(env, end)); });
            },
        };
        machine_ = std::make_unique<vmm::EmbeddedMachine>(
            std::move(config), std::move(events), [this, self, built](const Result<void>& result) mutable {
                to_js_thread([this, self = std::move(self), built, result](Napi::Env env) {
                    if (result)
                        return built->Resolve(object(env, self));
                    built->Reject(hrun::addon::to_js(env, result.error()).Value());
                    release();
                });
            });
    }

    static Napi::Object end_object(Napi::Env env, const vmm::End& end) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("reason", reason_name(end.reason));
        object.Set("message", end.message);
        return object;
    }

    // The object of src/native/addon.ts. Its functions share ownership of `self`.
    Napi::Object object(Napi::Env env, const std::shared_ptr<MicroVm>& self) {
        Napi::Object object = Napi::Object::New(env);
        // Made here, for a Deferred's promise is a handle that is good only in the scope which made it.
        ended_->emplace(Napi::Promise::Deferred::New(env));
        object.Set("ended", (*ended_)->Promise());
        auto add = [&](const char* name, std::function<Napi::Value(const Napi::CallbackInfo&)> function) {
            object.Set(name, Napi::Function::New(env, std::move(function), name));
        };
        using Machine = vmm::EmbeddedMachine;
        add("start", [self](auto& info) { return self->action(info.Env(), &Machine::start); });
        add("pause", [self](auto& info) { return self->action(info.Env(), &Machine::pause); });
        add("resume", [self](auto& info) { return self->action(info.Env(), &Machine::resume); });
        add("snapshot", [self](auto& info) { return self->snapshot(info); });
        add("writeConsole", [self](auto& info) { return self->write_console(info); });
        add("connect", [self](auto& info) { return self->connect(info); });
        add("stop", [self](auto& info) { return self->stop(info.Env()); });
        add("statistics", [self](auto& info) { return self->statistics(info.Env()); });
        return object;
    }

    Napi::Value action(Napi::Env env, void (vmm::EmbeddedMachine::*function)(vmm::EmbeddedMachine::Done)) {
        Deferred deferred = new_deferred(env);
        if (!machine_)
            return reject_gone(env, deferred);
        (machine_.get()->*function)([this, deferred](const Result<void>& result) {
            settle<void>(deferred, result, [](Napi::Env env) { return env.Undefined(); });
        });
        return deferred->Promise();
    }

    Napi::Value snapshot(const Napi::CallbackInfo& info) {
        if (info.Length() < 1 || !info[0].IsString())
            return throw_type_error(info.Env(), "snapshot(path)");
        Deferred deferred = new_deferred(info.Env());
        if (!machine_)
            return reject_gone(info.Env(), deferred);
        machine_->snapshot(info[0].As<Napi::String>().Utf8Value(),
                           [this, deferred](const Result<void>& result) {
                               settle<void>(deferred, result, [](Napi::Env env) { return env.Undefined(); });
                           });
        return deferred->Promise();
    }

    Napi::Value write_console(const Napi::CallbackInfo& info) {
        if (info.Length() < 1 || !info[0].IsTypedArray())
            return throw_type_error(info.Env(), "writeConsole(Uint8Array)");
        Deferred deferred = new_deferred(info.Env());
        if (!machine_)
            return reject_gone(info.Env(), deferred);
        auto bytes = info[0].As<Napi::Uint8Array>();
        machine_->console_input(std::string(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()),
                                [this, deferred](Result<size_t> taken) {
                                    const size_t count = taken ? *taken : 0;
                                    settle<size_t>(deferred, taken, [count](Napi::Env env) {
                                        return Napi::Number::New(env, count);
                                    });
                                });
        return deferred->Promise();
    }

    Napi::Value connect(const Napi::CallbackInfo& info) {
        if (info.Length() < 1 || !info[0].IsNumber())
            return throw_type_error(info.Env(), "connect(port)");
        Deferred deferred = new_deferred(info.Env());
        if (!machine_)
            return reject_gone(info.Env(), deferred);
        machine_->connect(info[0].As<Napi::Number>().Uint32Value(), [this, deferred](Result<Fd> socket) {
            auto fd = std::make_shared<Fd>(socket ? std::move(*socket) : Fd());
            settle<Fd>(deferred, socket,
                       [fd](Napi::Env env) { return Napi::Number::New(env, fd->release()); });
        });
        return deferred->Promise();
    }

    // Waits for the machine's threads on a thread of its own: tear-down with an in-kernel irqchip takes milliseconds.
    Napi::Value stop(Napi::Env env) {
        Deferred deferred = new_deferred(env);
        if (!machine_) {
            deferred->Resolve(env.Undefined());
            return deferred->Promise();
        }
        exits_ = machine_->exits();
        stopper_ =
            std::thread([this, self = shared_from_this(), deferred, machine = std::move(machine_)]() mutable {
                machine.reset();
                to_js_thread([self = std::move(self), deferred](Napi::Env env) {
                    self->release();
                    deferred->Resolve(env.Undefined());
                });
            });
        return deferred->Promise();
    }

    Napi::Value statistics(Napi::Env env) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("exits",
                   Napi::Number::New(env, static_cast<double>(machine_ ? machine_->exits() : exits_)));
        return object;
    }

    static Deferred new_deferred(Napi::Env env) {
        return std::make_shared<Napi::Promise::Deferred>(Napi::Promise::Deferred::New(env));
    }

    static Napi::Value reject_gone(Napi::Env env, const Deferred& deferred) {
        deferred->Reject(hrun::addon::to_js(env, Error{ECANCELED, "use a machine that has gone"}).Value());
        return deferred->Promise();
    }

    template <class T>
    void settle(const Deferred& deferred, const Result<T>& result,
                std::function<Napi::Value(Napi::Env)> value) {
        const Error error = result ? Error{} : result.error();
        to_js_thread([deferred, value = std::move(value), error](Napi::Env env) {
            if (error.code == 0)
                deferred->Resolve(value(env));
            else
                deferred->Reject(hrun::addon::to_js(env, error).Value());
        });
    }

    void to_js_thread(JsCall call) {
        auto* queued = new JsCall(std::move(call));
        const napi_status status =
            calls_.BlockingCall(queued, [](Napi::Env env, Napi::Function, JsCall* call) {
                const std::unique_ptr<JsCall> owner(call);
                if (env != nullptr)
                    (*call)(env);
            });
        if (status != napi_ok) // the environment is ending: nobody is left to be told
            delete queued;
    }

    // On the JavaScript thread. Nothing calls into JavaScript afterwards: all threads are gone.
    void release() {
        if (std::exchange(released_, true))
            return;
        machine_.reset();
        if (stopper_.joinable())
            stopper_.join();
        on_console_.reset();
        napi_remove_env_cleanup_hook(env_, environment_ends, this);
        calls_.Release();
    }

    // Comes before the thread-safe function's own hook, for hooks run in the opposite order of their making.
    static void environment_ends(void* self) { static_cast<MicroVm*>(self)->release(); }

    Napi::ThreadSafeFunction calls_;
    // Empty until the machine is built; nothing ends before.
    const std::shared_ptr<std::optional<Napi::Promise::Deferred>> ended_ =
        std::make_shared<std::optional<Napi::Promise::Deferred>>();
    std::shared_ptr<Napi::FunctionReference> on_console_;
    std::unique_ptr<vmm::EmbeddedMachine> machine_;
    std::thread stopper_;
    napi_env env_;
    uint64_t exits_ = 0;
    bool released_ = false;
};

} // namespace

Napi::Value create_micro_vm(const Napi::CallbackInfo& info) {
    if (info.Length() < 1 || !info[0].IsObject())
        return throw_type_error(info.Env(), "createMicroVm({ kernel, … })");
    const Napi::Object object = info[0].As<Napi::Object>();
    return MicroVm::create(info.Env(), read_config(object), object.Get("onConsole"));
}

Napi::Value restore_micro_vm(const Napi::CallbackInfo& info) {
    if (info.Length() < 1 || !info[0].IsObject() || !info[0].As<Napi::Object>().Get("snapshot").IsString())
        return throw_type_error(info.Env(), "restoreMicroVm({ snapshot, … })");
    const Napi::Object object = info[0].As<Napi::Object>();
    vmm::EmbeddedConfig config = read_config(object);
    config.snapshot = object.Get("snapshot").As<Napi::String>().Utf8Value();
    return MicroVm::create(info.Env(), std::move(config), object.Get("onConsole"));
}

} // namespace hrun::addon
