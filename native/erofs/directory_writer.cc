// SPDX-License-Identifier: Apache-2.0
#include "erofs/directory_writer.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "erofs/inode_record.h"
#include "erofs/layer_error.h"
#include "erofs/xattr.h"

namespace hrun::erofs {
namespace {

FileType type_of(Tree& tree, NodeId id) {
    switch (tree.node(id).kind) {
    case NodeKind::kDirectory:
        return FileType::kDirectory;
    case NodeKind::kWhiteout:
        return FileType::kCharDevice;
    default:
        return tree.inode(id).type;
    }
}

} // namespace

// Ascending writes, gathered.
class DirectoryWriter::Region {
  public:
    explicit Region(ImageFile& image) : image_(image) {}

    Result<void> put(uint64_t offset, std::span<const uint8_t> bytes) {
        if (buffer_.empty())
            start_ = offset;
        if (buffer_.size() >= kFlushBytes) {
            HRUN_TRY(flush());
            start_ = offset;
        }
        buffer_.resize(offset - start_);
        buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
        return {};
    }
    Result<void> flush() {
        HRUN_TRY(image_.write(start_, buffer_));
        buffer_.clear();
        return {};
    }

  private:
    static constexpr size_t kFlushBytes = 256 * 1024;
    ImageFile& image_;
    uint64_t start_ = 0;
    std::vector<uint8_t> buffer_;
};

Result<void> DirectoryWriter::write(std::vector<uint8_t>& first_block) {
    order_directories();
    HRUN_TRY(plan());
    Region inodes(image_), data(image_);
    for (const Plan& plan : plans_)
        HRUN_TRY(write_one(plan, inodes, data, first_block));
    HRUN_TRY(inodes.flush());
    return data.flush();
}

// Depth first, children by name.
void DirectoryWriter::order_directories() {
    std::vector<NodeId> open{kRootNode};
    while (!open.empty()) {
        const NodeId id = open.back();
        open.pop_back();
        plans_.push_back({id, 0, 0, 0, false});
        std::vector<NodeId> below = tree_.children(id);
        std::erase_if(below, [&](NodeId child) { return tree_.node(child).kind != NodeKind::kDirectory; });
        std::sort(below.begin(), below.end(),
                  [&](NodeId a, NodeId b) { return tree_.name(a) > tree_.name(b); });
        open.insert(open.end(), below.begin(), below.end());
    }
}

// Fixes where every directory goes, before any is written: dirents need the numbers of their targets.
Result<void> DirectoryWriter::plan() {
    const uint64_t start = static_cast<uint64_t>(image_.next_block()) << kBlockBits;
    uint64_t cursor = start;
    uint32_t data_blocks = 0;
    for (Plan& plan : plans_) {
        HRUN_TRY(plan_one(plan, cursor, data_blocks));
        tree_.directory(plan.id).nid = plan.offset / kSlotBytes;
    }
    Result<uint32_t> inodes = image_.allocate((cursor - start + kBlockBytes - 1) >> kBlockBits);
    if (!inodes)
        return inodes.error();
    Result<uint32_t> data = image_.allocate(data_blocks);
    if (!data)
        return data.error();
    for (Plan& plan : plans_)
        plan.data_block += *data;
    return {};
}

Result<void> DirectoryWriter::plan_one(Plan& plan, uint64_t& cursor, uint32_t& blocks) {
    list(plan.id);
    plan.bytes = directory_bytes(entries_);
    Result<std::string> xattrs = xattrs_of(plan.id);
    if (!xattrs)
        return xattrs.error();
    const bool root = plan.id == kRootNode;
    const uint64_t head = record_head_bytes(*xattrs), tail = plan.bytes % kBlockBytes;
    const uint64_t room = root ? kBlockBytes - kRootOffset : kBlockBytes;
    if (root && head > room)
        return over_limit("more than " + std::to_string(room - sizeof(Inode)) +
                          " bytes of xattrs on the root");
    plan.inline_tail = tail > 0 && head + tail <= room;
    plan.data_block = blocks;
    blocks += static_cast<uint32_t>(plan.inline_tail ? plan.bytes >> kBlockBits
                                                     : round_up(plan.bytes, kBlockBytes) >> kBlockBits);
    plan.offset = kRootOffset;
    if (root)
        return {};
    const uint64_t size = head + (plan.inline_tail ? tail : 0);
    if (cursor % kBlockBytes + size > kBlockBytes)
        cursor = round_up(cursor, kBlockBytes);
    plan.offset = cursor;
    cursor = round_up(cursor + size, size > kBlockBytes ? kBlockBytes : kSlotBytes);
    return {};
}

Result<void> DirectoryWriter::write_one(const Plan& plan, Region& inodes, Region& data,
                                        std::vector<uint8_t>& first_block) {
    list(plan.id);
    encode_directory(entries_, content_);
    Result<std::string> xattrs = xattrs_of(plan.id);
    if (!xattrs)
        return xattrs.error();
    const Directory& directory = tree_.directory(plan.id);
    InodeFields fields = fields_of(directory.metadata, S_IFDIR);
    fields.size = plan.bytes;
    fields.links = 2 + directory.subdirectories;
    fields.data = plan.data_block;
    fields.layout = plan.inline_tail ? DataLayout::kFlatInline : DataLayout::kFlatPlain;
    fields.ino = files_.next_ino();
    fields.implied = directory.implied;
    encode_inode(fields, *xattrs, record_);
    const size_t in_blocks = plan.inline_tail ? plan.bytes / kBlockBytes * kBlockBytes : plan.bytes;
    record_.insert(record_.end(), content_.begin() + static_cast<ptrdiff_t>(in_blocks), content_.end());
    if (plan.id == kRootNode)
        memcpy(first_block.data() + kRootOffset, record_.data(), record_.size());
    else
        HRUN_TRY(inodes.put(plan.offset, record_));
    if (in_blocks > 0)
        HRUN_TRY(data.put(static_cast<uint64_t>(plan.data_block) << kBlockBits,
                          std::span(content_).first(in_blocks)));
    return {};
}

// Fills entries_.
void DirectoryWriter::list(NodeId id) {
    entries_.clear();
    entries_.push_back({".", tree_.directory(id).nid, FileType::kDirectory});
    entries_.push_back({"..", tree_.directory(tree_.node(id).parent).nid, FileType::kDirectory});
    for (NodeId child : tree_.children(id)) {
        const NodeKind kind = tree_.node(child).kind;
        const uint64_t nid = kind == NodeKind::kDirectory  ? tree_.directory(child).nid
                             : kind == NodeKind::kWhiteout ? whiteout_nid_
                                                           : tree_.inode(child).nid;
        entries_.push_back({tree_.name(child), nid, type_of(tree_, child)});
    }
    sort_entries(entries_);
}

// The image's own, and what overlayfs has to know: an opaque directory hides the lower layers' contents;
// one with whiteouts says so by an empty "origin", else readdir would show them where no layer lies below.
Result<std::string> DirectoryWriter::xattrs_of(NodeId id) {
    const Directory& directory = tree_.directory(id);
    std::string entries = directory.xattrs;
    std::vector<Xattr> overlay;
    if (keep_whiteouts_ && directory.opaque)
        overlay.push_back({"trusted.overlay.opaque", "y"});
    if (directory.whiteouts > 0)
        overlay.push_back({"trusted.overlay.origin", ""});
    if (overlay.empty())
        return xattr_body(entries);
    Result<std::string> encoded = encode_xattrs(std::move(overlay));
    if (!encoded)
        return encoded;
    return xattr_body(entries + *encoded);
}

} // namespace hrun::erofs
