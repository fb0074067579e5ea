// SPDX-License-Identifier: Apache-2.0
#include "erofs/layer_applier.h"

#include <sys/stat.h>

#include "erofs/layer_error.h"
#include "erofs/path.h"
#include "erofs/whiteout.h"
#include "erofs/xattr.h"

namespace hrun::erofs {
namespace {

Result<std::string> kept_xattrs(std::vector<Xattr>& xattrs) {
    std::erase_if(xattrs, [](const Xattr& xattr) { return !xattr_is_kept(xattr.name); });
    return encode_xattrs(std::move(xattrs));
}

Result<std::string> xattr_body_of(const TarEntry& entry) {
    std::vector<Xattr> xattrs = entry.metadata.xattrs;
    Result<std::string> entries = kept_xattrs(xattrs);
    return entries ? xattr_body(*entries) : entries;
}

} // namespace

Result<void> LayerApplier::apply(TarReader& tar) {
    layers_.begin_layer();
    resolver_.begin_layer();
    TarEntry entry;
    for (;;) {
        Result<bool> more = tar.next(entry);
        if (!more)
            return more.error();
        if (!*more)
            return {};
        HRUN_TRY(layers_.count_entry());
        HRUN_TRY(apply_entry(tar, entry));
        entries_++;
    }
}

Result<void> LayerApplier::apply_entry(TarReader& tar, TarEntry& entry) {
    Result<std::vector<std::string_view>> path = split_path(entry.path, limits_);
    if (!path)
        return path.error();
    if (path->empty())
        return apply_root(entry);
    Result<NameMeaning> meaning = name_meaning(*path);
    if (!meaning)
        return meaning.error();
    if (*meaning == NameMeaning::kIgnored)
        return {};
    const std::string_view name = path->back();
    path->pop_back();
    Result<NodeId> parent = resolver_.make_parents(*path);
    if (!parent)
        return parent.error();
    if (*meaning == NameMeaning::kOpaque)
        return layers_.make_opaque(*parent);
    if (*meaning == NameMeaning::kWhiteout)
        return layers_.white_out(*parent, whited_out_name(name));
    return apply_plain(tar, entry, *parent, name);
}

Result<void> LayerApplier::apply_root(TarEntry& entry) {
    if (entry.type != EntryType::kDirectory)
        return corrupt("the root would become something else than a directory");
    return set_directory(kRootNode, entry);
}

Result<void> LayerApplier::apply_plain(TarReader& tar, TarEntry& entry, NodeId parent,
                                       std::string_view name) {
    switch (entry.type) {
    case EntryType::kDirectory:
        return apply_directory(entry, parent, name);
    case EntryType::kSymlink:
        return apply_symlink(entry, parent, name);
    case EntryType::kHardLink:
        return apply_hard_link(entry, parent, name);
    case EntryType::kCharDevice:
        return apply_device(entry, S_IFCHR, parent, name);
    case EntryType::kBlockDevice:
        return apply_device(entry, S_IFBLK, parent, name);
    case EntryType::kFifo:
        return apply_device(entry, S_IFIFO, parent, name);
    case EntryType::kFile:
        break;
    }
    Result<std::string> xattrs = xattr_body_of(entry);
    if (!xattrs)
        return xattrs.error();
    Result<NodeId> stored =
        store(parent, name, NodeKind::kFile, files_.write_file(entry, *xattrs, [&] { return tar.read(); }));
    return stored ? Result<void>() : stored.error();
}

Result<void> LayerApplier::apply_directory(TarEntry& entry, NodeId parent, std::string_view name) {
    Result<NodeId> id = layers_.put_directory(parent, name);
    if (!id)
        return id.error();
    return set_directory(*id, entry);
}

Result<void> LayerApplier::set_directory(NodeId id, TarEntry& entry) {
    Result<std::string> xattrs = kept_xattrs(entry.metadata.xattrs);
    if (!xattrs)
        return xattrs.error();
    Result<std::string> body = xattr_body(*xattrs);
    if (!body)
        return body.error();
    Directory& directory = tree_.directory(id);
    xattr_bytes_ += xattrs->size();
    if (xattr_bytes_ > limits_.max_table_bytes)
        return over_limit("more than " + std::to_string(limits_.max_table_bytes) +
                          " bytes of xattrs on directories");
    directory.xattrs = std::move(*xattrs);
    directory.metadata = std::move(entry.metadata);
    directory.metadata.xattrs.clear();
    directory.implied = false;
    return {};
}

Result<void> LayerApplier::apply_symlink(const TarEntry& entry, NodeId parent, std::string_view name) {
    if (entry.link_target.empty())
        return corrupt("a symbolic link has no target");
    if (entry.link_target.size() > limits_.max_path_bytes)
        return over_limit("a link target of more than " + std::to_string(limits_.max_path_bytes) + " bytes");
    Result<std::string> xattrs = xattr_body_of(entry);
    if (!xattrs)
        return xattrs.error();
    Result<NodeId> id = store(parent, name, NodeKind::kSymlink,
                              files_.write_symlink(entry.metadata, *xattrs, entry.link_target));
    if (!id)
        return id.error();
    tree_.set_target(*id, entry.link_target);
    return {};
}

// The header's own metadata say nothing: the file has one inode, and its first entry described it.
Result<void> LayerApplier::apply_hard_link(const TarEntry& entry, NodeId parent, std::string_view name) {
    Result<std::vector<std::string_view>> path = split_path(entry.link_target, limits_);
    if (!path)
        return path.error();
    Result<NodeId> target = resolver_.find(*path);
    if (!target)
        return target.error();
    if (*target == kNoNode || tree_.node(*target).kind == NodeKind::kWhiteout) {
        if (layers_.bottom())
            return corrupt("a hard link to " + entry.link_target + ", which no layer holds");
        unresolved_links_++; // a lower layer may hold it
        return {};
    }
    if (tree_.node(*target).kind == NodeKind::kDirectory)
        return corrupt("a hard link to the directory " + entry.link_target);
    if (*target == tree_.child(parent, name))
        return {};
    // A name above the target (a/b -> a) would take the target with it.
    for (NodeId at = *target; at != kRootNode; at = tree_.node(at).parent)
        if (tree_.node(at).parent == parent && tree_.name(at) == name)
            return corrupt("a hard link would replace the directory that holds its target");
    Result<NodeId> id = layers_.take(parent, name);
    if (!id)
        return id.error();
    tree_.make_link(*id, *target);
    return {};
}

// A character device 0:0 is a whiteout to overlayfs, whatever the image meant by it.
Result<void> LayerApplier::apply_device(const TarEntry& entry, uint16_t type, NodeId parent,
                                        std::string_view name) {
    if (type == S_IFCHR && entry.device_major == 0 && entry.device_minor == 0)
        return layers_.white_out(parent, name);
    constexpr uint32_t kMaxMajor = 0xfff, kMaxMinor = 0xfffff; // MINORBITS is 20
    if (entry.device_major > kMaxMajor || entry.device_minor > kMaxMinor)
        return corrupt("the device " + std::to_string(entry.device_major) + ":" +
                       std::to_string(entry.device_minor) + " is out of range");
    Result<std::string> xattrs = xattr_body_of(entry);
    if (!xattrs)
        return xattrs.error();
    const uint32_t device = type == S_IFIFO ? 0 : encode_device(entry.device_major, entry.device_minor);
    Result<NodeId> stored =
        store(parent, name, NodeKind::kDevice, files_.write_special(entry.metadata, *xattrs, type, device));
    return stored ? Result<void>() : stored.error();
}

Result<NodeId> LayerApplier::store(NodeId parent, std::string_view name, NodeKind kind,
                                   Result<StoredInode> inode) {
    if (!inode)
        return inode.error();
    Result<NodeId> id = layers_.take(parent, name);
    if (id)
        tree_.make_stored(*id, kind, *inode);
    return id;
}

} // namespace hrun::erofs
