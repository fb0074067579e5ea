// SPDX-License-Identifier: Apache-2.0
#include "erofs/file_writer.h"

#include <sys/stat.h>

#include <algorithm>

#include "erofs/chunk_map.h"
#include "erofs/layer_error.h"

namespace hrun::erofs {
namespace {

alignas(64) constexpr uint8_t kZeros[kBlockBytes] = {};

} // namespace

// The tail stays behind the inode if both fit a block, else it gets a block of its own.
Result<FileWriter::Placement> FileWriter::place_data(uint64_t size, size_t head_bytes) {
    Placement placement;
    placement.tail_bytes = size % kBlockBytes;
    if (head_bytes + placement.tail_bytes > kBlockBytes)
        placement.tail_bytes = 0;
    const uint64_t blocks = (size - placement.tail_bytes + kBlockBytes - 1) >> kBlockBits;
    Result<uint32_t> first = image_.allocate(blocks);
    if (!first)
        return first.error();
    placement.first_block = *first;
    placement.blocks = static_cast<uint32_t>(blocks);
    return placement;
}

Result<StoredInode> FileWriter::write_file(const TarEntry& entry, const std::string& xattr_body,
                                           const Read& read) {
    if (entry.sparse)
        return write_sparse(entry, xattr_body, read);
    Result<Placement> placement = place_data(entry.size, record_head_bytes(xattr_body));
    if (!placement)
        return placement.error();
    HRUN_TRY(write_flat(entry, *placement, read));
    InodeFields fields = fields_of(entry.metadata, S_IFREG);
    fields.size = entry.size;
    fields.data = placement->first_block;
    fields.layout = placement->tail_bytes > 0 ? DataLayout::kFlatInline : DataLayout::kFlatPlain;
    fields.ino = next_ino();
    encode_inode(fields, xattr_body, record_);
    record_.insert(record_.end(), tail_.begin(), tail_.end());
    return place_record(*placement, FileType::kRegular);
}

// Whole blocks go to the image, the tail to tail_.
Result<void> FileWriter::write_flat(const TarEntry& entry, const Placement& placement, const Read& read) {
    tail_.clear();
    uint64_t at = static_cast<uint64_t>(placement.first_block) << kBlockBits;
    uint64_t left = entry.size - placement.tail_bytes;
    for (;;) {
        Result<Slice> slice = read();
        if (!slice)
            return slice.error();
        if (slice->size == 0)
            break;
        Slice blocks = *slice;
        blocks.size = std::min<uint64_t>(left, slice->size);
        tail_.insert(tail_.end(), slice->data + blocks.size, slice->data + slice->size);
        left -= blocks.size;
        if (blocks.size > 0)
            HRUN_TRY(image_.append(at, blocks));
        at += blocks.size;
    }
    return append_padding(at);
}

// Keeps consecutive files one contiguous write.
Result<void> FileWriter::append_padding(uint64_t end) {
    const size_t padding = -end % kBlockBytes;
    return padding > 0 ? image_.append(end, Slice{nullptr, kZeros, padding}) : Result<void>();
}

Result<StoredInode> FileWriter::write_sparse(const TarEntry& entry, const std::string& xattr_body,
                                             const Read& read) {
    Result<ChunkMap> map = map_chunks(entry.size, *entry.sparse, image_);
    if (!map)
        return map.error();
    Slice current;
    for (const SparseExtent& extent : *entry.sparse)
        for (uint64_t at = extent.offset, end = at + extent.length; at < end;) {
            const uint64_t chunk_end = ((at >> map->chunk_bits) + 1) << map->chunk_bits;
            const uint64_t length = std::min(end, chunk_end) - at;
            HRUN_TRY(write_extent(map->image_offset(at), length, current, read));
            at += length;
        }
    InodeFields fields = fields_of(entry.metadata, S_IFREG);
    fields.size = entry.size;
    fields.data = map->format();
    fields.layout = DataLayout::kChunkBased;
    fields.ino = next_ino();
    encode_inode(fields, xattr_body, record_);
    const auto* bytes = reinterpret_cast<const uint8_t*>(map->blocks.data());
    record_.insert(record_.end(), bytes, bytes + map->blocks.size() * sizeof(uint32_t));
    wrote_chunks_ = true;
    return place_record({map->first_block, map->block_count, 0}, FileType::kRegular);
}

Result<void> FileWriter::write_extent(uint64_t at, uint64_t length, Slice& current, const Read& read) {
    while (length > 0) {
        if (current.size == 0) {
            Result<Slice> slice = read();
            if (!slice)
                return slice.error();
            if (slice->size == 0)
                return corrupt("a sparse file has less data than its map says");
            current = std::move(*slice);
        }
        Slice part = current;
        part.size = std::min<uint64_t>(length, current.size);
        HRUN_TRY(image_.append(at, part));
        current.data += part.size;
        current.size -= part.size;
        at += part.size;
        length -= part.size;
    }
    return {};
}

Result<StoredInode> FileWriter::write_symlink(const Metadata& metadata, const std::string& xattr_body,
                                              std::string_view target) {
    Result<Placement> placement = place_data(target.size(), record_head_bytes(xattr_body));
    if (!placement)
        return placement.error();
    const auto* bytes = reinterpret_cast<const uint8_t*>(target.data());
    if (placement->tail_bytes == 0)
        HRUN_TRY(image_.write(static_cast<uint64_t>(placement->first_block) << kBlockBits,
                              {bytes, target.size()}));
    InodeFields fields = fields_of(metadata, S_IFLNK);
    fields.mode = S_IFLNK | 0777; // as Linux has it
    fields.size = target.size();
    fields.data = placement->first_block;
    fields.layout = placement->tail_bytes > 0 ? DataLayout::kFlatInline : DataLayout::kFlatPlain;
    fields.ino = next_ino();
    encode_inode(fields, xattr_body, record_);
    record_.insert(record_.end(), bytes, bytes + placement->tail_bytes);
    return place_record(*placement, FileType::kSymlink);
}

Result<StoredInode> FileWriter::write_special(const Metadata& metadata, const std::string& xattr_body,
                                              uint16_t type, uint32_t device) {
    InodeFields fields = fields_of(metadata, type);
    fields.data = device;
    fields.ino = next_ino();
    encode_inode(fields, xattr_body, record_);
    return place_record({}, type == S_IFCHR   ? FileType::kCharDevice
                            : type == S_IFBLK ? FileType::kBlockDevice
                                              : FileType::kFifo);
}

Result<StoredInode> FileWriter::place_record(const Placement& placement, FileType type) {
    Result<uint64_t> offset = metadata_.place(record_);
    if (!offset)
        return offset.error();
    StoredInode inode;
    inode.nid = *offset / kSlotBytes;
    inode.first_block = placement.first_block;
    inode.blocks = placement.blocks;
    inode.type = type;
    return inode;
}

} // namespace hrun::erofs
