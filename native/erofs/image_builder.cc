// SPDX-License-Identifier: Apache-2.0
#include "erofs/image_builder.h"

#include <isa-l/crc.h>
#include <sys/stat.h>

#include <cstring>

#include "erofs/directory_writer.h"

namespace hrun::erofs {
namespace {

// As the kernel computes it: CRC-32C of the rest of the superblock's block, started with all ones, not inverted.
uint32_t superblock_checksum(std::vector<uint8_t>& first_block) {
    return crc32_iscsi(first_block.data() + kSuperblockOffset, kBlockBytes - kSuperblockOffset, ~0u);
}

// RFC 9562, version 8: the layout is the writer's own.
void set_uuid(const Sha256& identity, uint8_t* uuid) {
    memcpy(uuid, identity.data(), 16);
    uuid[6] = (uuid[6] & 0x0f) | 0x80;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

} // namespace

ImageBuilder::ImageBuilder(int fd, const Limits& limits, bool bottom)
    : limits_(limits), image_(fd), layers_(image_, limits_, bottom), files_(image_),
      applier_(layers_, files_, limits_) {
    layers_.tree().directory(kRootNode).metadata.permissions = 0755;
}

// The first block is the superblock's and the root's.
Result<void> ImageBuilder::begin() {
    if (std::exchange(begun_, true))
        return {};
    HRUN_TRY(image_.reset());
    Result<uint32_t> first = image_.allocate(1);
    return first ? Result<void>() : first.error();
}

Result<void> ImageBuilder::apply(ByteSource& tar, std::string& path) {
    HRUN_TRY(begin());
    TarReader reader(tar, limits_);
    Result<void> applied = applier_.apply(reader);
    if (!applied)
        path = reader.current_path();
    return applied;
}

void ImageBuilder::graft_at(NodeId id, const JoinedDirectory& from) {
    Tree& tree = layers_.tree();
    tree.directory(id).metadata = from.directory.metadata;
    tree.directory(id).xattrs = from.directory.xattrs;
    tree.directory(id).implied = from.directory.implied;
    for (const JoinedDirectory& below : from.below) {
        const NodeId child = tree.add(id, below.name, 0);
        tree.make_directory(child);
        graft_at(child, below);
    }
}

Result<uint64_t> ImageBuilder::finish(const Sha256& identity) {
    HRUN_TRY(begin());
    Result<uint64_t> whiteout_nid = write_whiteout();
    if (!whiteout_nid)
        return whiteout_nid;
    HRUN_TRY(files_.finish());
    std::vector<uint8_t> first_block(kBlockBytes, 0);
    DirectoryWriter directories(layers_.tree(), image_, files_, !layers_.bottom(), *whiteout_nid);
    HRUN_TRY(directories.write(first_block));
    HRUN_TRY(patch_links());
    HRUN_TRY(image_.finish());
    HRUN_TRY(write_superblock(identity, first_block));
    return static_cast<uint64_t>(image_.next_block()) << kBlockBits;
}

// One device 0:0 for all whiteouts of the image, as overlayfs itself does it. 0 if there are none.
Result<uint64_t> ImageBuilder::write_whiteout() {
    Tree& tree = layers_.tree();
    whiteouts_ = tree.whiteout_count();
    if (whiteouts_ == 0)
        return 0;
    Result<StoredInode> inode = files_.write_special(Metadata{}, "", S_IFCHR, 0);
    if (!inode)
        return inode.error();
    inode->links = whiteouts_;
    tree.inodes().push_back(*inode);
    return inode->nid;
}

// Inodes are written with one link, when the first name is read; other names come later.
Result<void> ImageBuilder::patch_links() {
    for (const StoredInode& inode : layers_.tree().inodes()) {
        if (inode.links == 0 || inode.links == inode.links_on_disk)
            continue;
        const auto* bytes = reinterpret_cast<const uint8_t*>(&inode.links);
        HRUN_TRY(image_.write(inode.nid * kSlotBytes + offsetof(Inode, nlink), {bytes, sizeof inode.links}));
    }
    return {};
}

uint64_t ImageBuilder::inode_count() {
    uint64_t count = layers_.tree().directory_count();
    for (const StoredInode& inode : layers_.tree().inodes())
        count += inode.links > 0;
    return count;
}

// Written last: without it the file is no file system.
Result<void> ImageBuilder::write_superblock(const Sha256& identity, std::vector<uint8_t>& first_block) {
    Superblock super{};
    super.magic = kSuperblockMagic;
    super.feature_compat = kFeatureCompatChecksum | kFeatureCompatMtime;
    super.block_bits = kBlockBits;
    super.root_nid = kRootOffset / kSlotBytes;
    super.inodes = inode_count();
    super.blocks = image_.next_block();
    super.feature_incompat = files_.wrote_chunks() ? kFeatureIncompatChunkedFile : 0;
    set_uuid(identity, super.uuid);
    if (applier_.unresolved_links() > 0)
        memcpy(super.volume_name, kUnresolvedLinks, sizeof super.volume_name);
    memcpy(first_block.data() + kSuperblockOffset, &super, sizeof super);
    super.checksum = superblock_checksum(first_block);
    memcpy(first_block.data() + kSuperblockOffset, &super, sizeof super);
    return image_.write(0, first_block);
}

} // namespace hrun::erofs
