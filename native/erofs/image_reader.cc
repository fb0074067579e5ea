// SPDX-License-Identifier: Apache-2.0
#include "erofs/image_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "erofs/layer_error.h"
#include "erofs/limits.h"
#include "erofs/xattr.h"

namespace hrun::erofs {
namespace {

constexpr uint64_t kMaxDirectoryBytes = 256 * 1024 * 1024; // max_entries names of 255 bytes

Error damaged() {
    return corrupt("the layer's EROFS image is damaged");
}

size_t xattr_body_bytes(const Inode& inode) {
    return inode.xattr_count == 0 ? 0 : sizeof(XattrHeader) + (inode.xattr_count - 1) * 4u;
}

Dirent dirent_at(std::string_view block, size_t index) {
    Dirent dirent;
    memcpy(&dirent, block.data() + index * sizeof dirent, sizeof dirent);
    return dirent;
}

Result<void> append_block(std::string_view block, std::vector<ImageEntry>& entries) {
    if (block.size() < sizeof(Dirent))
        return damaged();
    const size_t names = dirent_at(block, 0).name_offset; // where the dirents end
    const size_t count = names / sizeof(Dirent);
    if (count == 0 || names > block.size())
        return damaged();
    for (size_t i = 0; i < count; i++) {
        const Dirent dirent = dirent_at(block, i);
        const size_t end = i + 1 < count ? dirent_at(block, i + 1).name_offset : block.size();
        if (dirent.name_offset > end || end > block.size())
            return damaged();
        std::string_view name = block.substr(dirent.name_offset, end - dirent.name_offset);
        name = name.substr(0, name.find('\0')); // the last name is padded
        if (name.empty() || name.size() > kMaxNameBytes)
            return damaged();
        if (name != "." && name != "..")
            entries.push_back({std::string(name), dirent.nid, static_cast<FileType>(dirent.file_type)});
    }
    return {};
}

} // namespace

Result<ImageReader> ImageReader::open(int fd) {
    ImageReader reader(fd);
    HRUN_TRY(reader.read(kSuperblockOffset, &reader.superblock_, sizeof reader.superblock_));
    const Superblock& super = reader.superblock_;
    if (super.magic != kSuperblockMagic || super.block_bits != kBlockBits || super.meta_block != 0)
        return damaged();
    return reader;
}

Result<ImageDirectory> ImageReader::directory(uint64_t nid) const {
    Result<Inode> inode = directory_inode(nid);
    if (!inode)
        return inode.error();
    ImageDirectory directory;
    directory.metadata.permissions = inode->mode & 07777;
    directory.metadata.uid = inode->uid;
    directory.metadata.gid = inode->gid;
    directory.metadata.mtime = {inode->mtime, inode->mtime_nsec};
    directory.implied = inode->implied != 0;
    std::string body(xattr_body_bytes(*inode), '\0');
    HRUN_TRY(read(nid * kSlotBytes + sizeof(Inode), body.data(), body.size()));
    if (body.empty())
        return directory;
    if (!split_overlay_xattrs(std::string_view(body).substr(sizeof(XattrHeader)), directory.xattrs,
                              directory.opaque))
        return damaged();
    return directory;
}

Result<std::vector<ImageEntry>> ImageReader::entries(uint64_t nid) const {
    Result<Inode> inode = directory_inode(nid);
    if (!inode)
        return inode.error();
    Result<std::string> bytes = content(nid, *inode);
    if (!bytes)
        return bytes.error();
    std::vector<ImageEntry> entries;
    for (size_t at = 0; at < bytes->size(); at += kBlockBytes)
        HRUN_TRY(append_block(std::string_view(*bytes).substr(at, kBlockBytes), entries));
    return entries;
}

Result<Inode> ImageReader::directory_inode(uint64_t nid) const {
    Inode inode;
    if (nid > (uint64_t{superblock_.blocks} << kBlockBits) / kSlotBytes)
        return damaged();
    HRUN_TRY(read(nid * kSlotBytes, &inode, sizeof inode));
    if ((inode.mode & S_IFMT) != S_IFDIR || inode.size > kMaxDirectoryBytes)
        return damaged();
    return inode;
}

Result<std::string> ImageReader::content(uint64_t nid, const Inode& inode) const {
    const auto layout = static_cast<DataLayout>(inode.format >> 1);
    const size_t tail = layout == DataLayout::kFlatInline ? inode.size % kBlockBytes : 0;
    std::string bytes(inode.size, '\0');
    const size_t in_blocks = bytes.size() - tail;
    HRUN_TRY(read(static_cast<uint64_t>(inode.data) << kBlockBits, bytes.data(), in_blocks));
    const uint64_t tail_at = nid * kSlotBytes + sizeof(Inode) + xattr_body_bytes(inode);
    HRUN_TRY(read(tail_at, bytes.data() + in_blocks, tail));
    return bytes;
}

Result<void> ImageReader::read(uint64_t offset, void* to, size_t size) const {
    for (auto* at = static_cast<uint8_t*>(to); size > 0;) {
        const ssize_t got = ::pread(fd_, at, size, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return Error::last("read an EROFS image");
        if (got == 0)
            return damaged();
        at += got;
        offset += static_cast<uint64_t>(got);
        size -= static_cast<size_t>(got);
    }
    return {};
}

} // namespace hrun::erofs
