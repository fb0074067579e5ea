// SPDX-License-Identifier: Apache-2.0
// createNetworkNamespace, removeNetworkNamespace, describeInterface: network namespaces of containers' own.
#include "net/namespace.h"

#include "addon/error.h"
#include "addon/functions.h"
#include "net/interface_facts.h"

namespace hrun::addon {
namespace {

Napi::Value finish(Napi::Env env, const Result<void>& done) {
    if (!done)
        to_js(env, done.error()).ThrowAsJavaScriptException();
    return env.Undefined();
}

std::string text_of(const net::Address& address) {
    return to_text(address.ip()) + "/" + std::to_string(address.prefix);
}

std::string text_of(const net::Mac& mac) {
    char text[sizeof "00:00:00:00:00:00"];
    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
    return text;
}

Napi::Object address_object(Napi::Env env, const net::HeldAddress& held) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("address", Napi::String::New(env, text_of(held.address)));
    object.Set("connected", Napi::Boolean::New(env, held.connected));
    return object;
}

Napi::Object route_object(Napi::Env env, const net::Route& route) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("destination", Napi::String::New(env, text_of(route.destination)));
    object.Set("gateway", route.gateway ? Napi::String::New(env, to_text(*route.gateway)) : env.Null());
    object.Set("onLink", Napi::Boolean::New(env, route.on_link));
    object.Set("metric", Napi::Number::New(env, route.metric));
    return object;
}

Napi::Object facts_object(Napi::Env env, const net::InterfaceFacts& facts) {
    Napi::Object object = Napi::Object::New(env);
    Napi::Array addresses = Napi::Array::New(env), routes = Napi::Array::New(env);
    for (const net::HeldAddress& held : facts.addresses)
        addresses.Set(addresses.Length(), address_object(env, held));
    for (const net::Route& route : facts.routes)
        routes.Set(routes.Length(), route_object(env, route));
    object.Set("mac", Napi::String::New(env, text_of(facts.mac)));
    object.Set("mtu", Napi::Number::New(env, facts.mtu));
    object.Set("up", Napi::Boolean::New(env, facts.up));
    object.Set("addresses", addresses);
    object.Set("routes", routes);
    return object;
}

} // namespace

Napi::Value create_network_namespace(const Napi::CallbackInfo& info) {
    if (!info[0].IsString())
        return throw_type_error(info.Env(), "createNetworkNamespace(path)");
    return finish(info.Env(), net::create_namespace(info[0].As<Napi::String>()));
}

Napi::Value remove_network_namespace(const Napi::CallbackInfo& info) {
    if (!info[0].IsString())
        return throw_type_error(info.Env(), "removeNetworkNamespace(path)");
    return finish(info.Env(), net::remove_namespace(info[0].As<Napi::String>()));
}

Napi::Value describe_interface(const Napi::CallbackInfo& info) {
    if (!info[0].IsString() || !info[1].IsString())
        return throw_type_error(info.Env(), "describeInterface(namespace, name)");
    const std::string name = info[1].As<Napi::String>();
    std::optional<net::InterfaceFacts> facts;
    const auto done = net::in_namespace(info[0].As<Napi::String>(), [&]() -> Result<void> {
        auto described = net::describe_interface(name);
        if (!described)
            return described.error();
        facts = std::move(*described);
        return {};
    });
    if (!done)
        return finish(info.Env(), done);
    return facts ? Napi::Value(facts_object(info.Env(), *facts)) : info.Env().Null();
}

} // namespace hrun::addon
