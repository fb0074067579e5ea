// SPDX-License-Identifier: Apache-2.0
// ensureBridge, removeLink, listLinks, hasFirewallRule, forgetFlows: the interfaces of this process's network namespace.
#include <netinet/in.h>

#include "addon/error.h"
#include "addon/functions.h"
#include "net/firewall.h"
#include "net/flows.h"
#include "net/links.h"

namespace hrun::addon {
namespace {

Napi::Value throw_error(Napi::Env env, const Error& error) {
    to_js(env, error).ThrowAsJavaScriptException();
    return env.Undefined();
}

// Nothing, and a pending TypeError, for what is no bridge.
std::optional<net::Bridge> bridge_of(Napi::Env env, const Napi::Value& value) {
    constexpr char kUsage[] = "ensureBridge({ name, addresses, mtu })";
    const Napi::Object object = value.IsObject() ? value.As<Napi::Object>() : Napi::Object::New(env);
    const Napi::Value name = object.Get("name"), addresses = object.Get("addresses"), mtu = object.Get("mtu");
    if (!name.IsString() || !addresses.IsArray() || !mtu.IsNumber() ||
        !net::is_interface_name(name.As<Napi::String>())) {
        throw_type_error(env, kUsage);
        return std::nullopt;
    }
    net::Bridge bridge{name.As<Napi::String>(), {}, mtu.As<Napi::Number>().Uint32Value()};
    const auto list = addresses.As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); ++i) {
        const auto address = net::parse_address(list.Get(i).ToString());
        if (!address) {
            throw_type_error(env, kUsage);
            return std::nullopt;
        }
        bridge.addresses.push_back(*address);
    }
    return bridge;
}

// A port of the host, wherever it leads.
std::optional<net::PortMapping> host_port_of(const Napi::Value& value) {
    if (!value.IsObject())
        return std::nullopt;
    const Napi::Object object = value.As<Napi::Object>();
    const Napi::Value protocol = object.Get("protocol"), ip = object.Get("hostIp"),
                      port = object.Get("hostPort");
    if (!protocol.IsString() || !ip.IsString() || !port.IsNumber())
        return std::nullopt;
    const bool udp = protocol.As<Napi::String>().Utf8Value() == "udp";
    const auto host = parse_ip(ip.As<Napi::String>().Utf8Value());
    const uint32_t number = port.As<Napi::Number>().Uint32Value();
    if (!host || number == 0 || number > UINT16_MAX)
        return std::nullopt;
    return net::PortMapping{
        udp ? uint8_t{IPPROTO_UDP} : uint8_t{IPPROTO_TCP}, *host, static_cast<uint16_t>(number), {}, 0};
}

Napi::Object link_object(Napi::Env env, const net::Link& link) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("index", Napi::Number::New(env, link.index));
    object.Set("name", Napi::String::New(env, link.name));
    object.Set("kind", Napi::String::New(env, link.kind));
    object.Set("up", Napi::Boolean::New(env, link.up));
    object.Set("mtu", Napi::Number::New(env, link.mtu));
    object.Set("bridge", Napi::Number::New(env, link.bridge));
    return object;
}

} // namespace

Napi::Value ensure_bridge(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    const auto bridge = bridge_of(env, info[0]);
    if (!bridge)
        return env.Undefined();
    auto links = net::Links::open();
    if (!links)
        return throw_error(env, links.error());
    const auto done = links->ensure_bridge(*bridge);
    return done ? env.Undefined() : throw_error(env, done.error());
}

Napi::Value remove_link(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!info[0].IsString() || !net::is_interface_name(info[0].As<Napi::String>()))
        return throw_type_error(env, "removeLink(name)");
    auto links = net::Links::open();
    if (!links)
        return throw_error(env, links.error());
    const auto done = links->remove(info[0].As<Napi::String>());
    return done ? env.Undefined() : throw_error(env, done.error());
}

Napi::Value list_links(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    auto links = net::Links::open();
    if (!links)
        return throw_error(env, links.error());
    auto list = links->list();
    if (!list)
        return throw_error(env, list.error());
    Napi::Array result = Napi::Array::New(env);
    for (const net::Link& link : *list)
        result.Set(result.Length(), link_object(env, link));
    return result;
}

Napi::Value has_firewall_rule(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!info[0].IsString() || !info[1].IsString())
        return throw_type_error(env, "hasFirewallRule(table, chain)");
    auto found = net::has_rule(info[0].As<Napi::String>(), info[1].As<Napi::String>());
    return found ? Napi::Boolean::New(env, *found) : throw_error(env, found.error());
}

Napi::Value forget_flows(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    constexpr char kUsage[] = "forgetFlows([{ protocol, hostIp, hostPort }])";
    if (!info[0].IsArray())
        return throw_type_error(env, kUsage);
    const auto list = info[0].As<Napi::Array>();
    std::vector<net::PortMapping> ports;
    for (uint32_t i = 0; i < list.Length(); ++i) {
        const auto port = host_port_of(list.Get(i));
        if (!port)
            return throw_type_error(env, kUsage);
        ports.push_back(*port);
    }
    auto flows = net::Flows::open();
    if (!flows)
        return throw_error(env, flows.error());
    const auto done = flows->forget(std::move(ports));
    return done ? env.Undefined() : throw_error(env, done.error());
}

} // namespace hrun::addon
