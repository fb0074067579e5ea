// SPDX-License-Identifier: Apache-2.0
// rawTerminal: every byte as it comes, both ways. Node's own raw mode still turns "\n" into "\r\n" on
// output, which a program that draws on the guest's terminal has not asked for.
#include <termios.h>

#include "addon/error.h"
#include "addon/functions.h"

namespace hrun::addon {
namespace {

Result<termios> make_raw(int fd) {
    termios saved;
    if (::tcgetattr(fd, &saved) < 0)
        return Error::last("read terminal mode");
    termios raw = saved;
    ::cfmakeraw(&raw);
    if (::tcsetattr(fd, TCSANOW, &raw) < 0)
        return Error::last("set terminal mode");
    return saved;
}

// The `RawTerminal` object; restoring a terminal that was hung up is no failure.
Napi::Object raw_terminal_object(Napi::Env env, int fd, const termios& saved) {
    Napi::Object terminal = Napi::Object::New(env);
    auto restore = [fd, saved](const Napi::CallbackInfo&) { ::tcsetattr(fd, TCSADRAIN, &saved); };
    terminal.Set("restore", Napi::Function::New(env, restore, "restore"));
    return terminal;
}

} // namespace

Napi::Value raw_terminal(const Napi::CallbackInfo& info) {
    if (info.Length() < 1 || !info[0].IsNumber())
        return throw_type_error(info.Env(), "rawTerminal(fd)");
    int fd = info[0].As<Napi::Number>().Int32Value();
    auto saved = make_raw(fd);
    if (saved)
        return raw_terminal_object(info.Env(), fd, *saved);
    to_js(info.Env(), saved.error()).ThrowAsJavaScriptException();
    return info.Env().Undefined();
}

} // namespace hrun::addon
