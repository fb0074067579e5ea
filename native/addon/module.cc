// SPDX-License-Identifier: Apache-2.0
// hrun.node: what src/native/addon.ts declares, and nothing else.
#include "addon/functions.h"
#include "erofs/converter.h"

namespace {

using namespace hrun::addon;

Napi::Object init(Napi::Env env, Napi::Object exports) {
    exports.Set("converterVersion", Napi::Number::New(env, hrun::erofs::kConverterVersion));
    exports.Set("convertLayer", Napi::Function::New(env, convert_layer, "convertLayer"));
    exports.Set("openLayerStream", Napi::Function::New(env, open_layer_stream, "openLayerStream"));
    exports.Set("mergeLayers", Napi::Function::New(env, merge_layers, "mergeLayers"));
    exports.Set("joinDirectories", Napi::Function::New(env, join_directories, "joinDirectories"));
    exports.Set("lockFile", Napi::Function::New(env, lock_file, "lockFile"));
    exports.Set("copySparse", Napi::Function::New(env, copy_sparse, "copySparse"));
    exports.Set("rawTerminal", Napi::Function::New(env, raw_terminal, "rawTerminal"));
    exports.Set("readXattrs", Napi::Function::New(env, read_xattrs, "readXattrs"));
    exports.Set("setXattr", Napi::Function::New(env, set_xattr, "setXattr"));
    exports.Set("makeNode", Napi::Function::New(env, make_node, "makeNode"));
    exports.Set("dataExtents", Napi::Function::New(env, data_extents, "dataExtents"));
    exports.Set("ensureBridge", Napi::Function::New(env, ensure_bridge, "ensureBridge"));
    exports.Set("removeLink", Napi::Function::New(env, remove_link, "removeLink"));
    exports.Set("listLinks", Napi::Function::New(env, list_links, "listLinks"));
    exports.Set("hasFirewallRule", Napi::Function::New(env, has_firewall_rule, "hasFirewallRule"));
    exports.Set("forgetFlows", Napi::Function::New(env, forget_flows, "forgetFlows"));
    exports.Set("createNetworkNamespace",
                Napi::Function::New(env, create_network_namespace, "createNetworkNamespace"));
    exports.Set("removeNetworkNamespace",
                Napi::Function::New(env, remove_network_namespace, "removeNetworkNamespace"));
    exports.Set("describeInterface", Napi::Function::New(env, describe_interface, "describeInterface"));
    exports.Set("probeKvm", Napi::Function::New(env, probe_kvm, "probeKvm"));
    exports.Set("createMicroVm", Napi::Function::New(env, create_micro_vm, "createMicroVm"));
    exports.Set("restoreMicroVm", Napi::Function::New(env, restore_micro_vm, "restoreMicroVm"));
    return exports;
}

} // namespace

NODE_API_MODULE(hrun, init)
