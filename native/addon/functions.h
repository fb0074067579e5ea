// SPDX-License-Identifier: Apache-2.0
// The functions of the `Addon` interface in src/native/addon.ts; module.cc exports them.
#pragma once

#include <napi.h>

namespace hrun::addon {

Napi::Value convert_layer(const Napi::CallbackInfo& info);
Napi::Value open_layer_stream(const Napi::CallbackInfo& info);
Napi::Value merge_layers(const Napi::CallbackInfo& info);
Napi::Value join_directories(const Napi::CallbackInfo& info);
Napi::Value lock_file(const Napi::CallbackInfo& info);
Napi::Value copy_sparse(const Napi::CallbackInfo& info);
Napi::Value raw_terminal(const Napi::CallbackInfo& info);
Napi::Value read_xattrs(const Napi::CallbackInfo& info);
Napi::Value set_xattr(const Napi::CallbackInfo& info);
Napi::Value make_node(const Napi::CallbackInfo& info);
Napi::Value data_extents(const Napi::CallbackInfo& info);
Napi::Value probe_kvm(const Napi::CallbackInfo& info);
Napi::Value ensure_bridge(const Napi::CallbackInfo& info);
Napi::Value remove_link(const Napi::CallbackInfo& info);
Napi::Value list_links(const Napi::CallbackInfo& info);
Napi::Value has_firewall_rule(const Napi::CallbackInfo& info);
Napi::Value forget_flows(const Napi::CallbackInfo& info);
Napi::Value create_network_namespace(const Napi::CallbackInfo& info);
Napi::Value remove_network_namespace(const Napi::CallbackInfo& info);
Napi::Value describe_interface(const Napi::CallbackInfo& info);
Napi::Value create_micro_vm(const Napi::CallbackInfo& info);
Napi::Value restore_micro_vm(const Napi::CallbackInfo& info);

} // namespace hrun::addon
