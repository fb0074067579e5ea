// SPDX-License-Identifier: Apache-2.0
// The EROFS on-disk format, as far as the converter writes it (Linux 6.12, fs/erofs/erofs_fs.h;
// Documentation/filesystems/erofs.rst). All integers are little-endian, as is every host hrun runs on.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace hrun::erofs {

static_assert(std::endian::native == std::endian::little);

constexpr uint32_t kBlockBytes = 4096, kBlockBits = 12;
constexpr uint32_t kSuperblockOffset = 1024, kSuperblockMagic = 0xe0f5e1e2;
constexpr uint32_t kSlotBytes = 32; // an inode's number is its offset in units of this (meta_blkaddr is 0)
constexpr uint32_t kNullBlock = 0xffffffff;

constexpr uint32_t kFeatureCompatChecksum = 1, kFeatureCompatMtime = 2;
constexpr uint32_t kFeatureIncompatChunkedFile = 4;

struct Superblock {
    uint32_t magic, checksum, feature_compat;
    uint8_t block_bits, extension_slots;
    uint16_t root_nid;
    uint64_t inodes;
    uint64_t build_time;
    uint32_t build_time_nsec, blocks, meta_block, xattr_block;
    uint8_t uuid[16], volume_name[16];
    uint32_t feature_incompat;
    uint16_t compression_algorithms, extra_devices, device_table_slot;
    uint8_t directory_block_bits, xattr_prefix_count;
    uint32_t xattr_prefix_start;
    uint64_t packed_nid;
    uint8_t xattr_filter_reserved, reserved[23];
};
static_assert(sizeof(Superblock) == 128);

// The volume name of an image whose layer has hard links to files of lower layers, which it had to leave
// out: it must be merged with all layers below. Other images have none.
constexpr char kUnresolvedLinks[] = "unresolved-links";
static_assert(sizeof kUnresolvedLinks - 1 == sizeof Superblock::volume_name);

enum class DataLayout : uint16_t { kFlatPlain = 0, kFlatInline = 2, kChunkBased = 4 };

// struct erofs_inode_extended: 64-bit size, 32-bit owners, its own time.
struct Inode {
    uint16_t format; // bit 0: extended; bits 1-3: DataLayout
    uint16_t xattr_count;
    uint16_t mode, reserved;
    uint64_t size;
    uint32_t data; // first data block, device number, or chunk format
    uint32_t ino, uid, gid;
    int64_t mtime;
    uint32_t mtime_nsec, nlink;
    uint8_t implied; // ours, in bytes that EROFS reserves: 1 for a directory that no tar entry described
    uint8_t reserved2[15];
};
static_assert(sizeof(Inode) == 64 && offsetof(Inode, nlink) == 44);

struct XattrHeader {
    uint32_t name_filter;
    uint8_t shared_count, reserved[7];
};
static_assert(sizeof(XattrHeader) == 12);

// Followed by the name without its prefix, then the value, then padding to 4 bytes.
struct XattrEntry {
    uint8_t name_length, name_index;
    uint16_t value_size;
};
static_assert(sizeof(XattrEntry) == 4);

struct __attribute__((packed)) Dirent {
    uint64_t nid;
    uint16_t name_offset;
    uint8_t file_type, reserved;
};
static_assert(sizeof(Dirent) == 12);

// FT_* of include/linux/fs_types.h.
enum class FileType : uint8_t {
    kRegular = 1,
    kDirectory = 2,
    kCharDevice = 3,
    kBlockDevice = 4,
    kFifo = 5,
    kSocket = 6,
    kSymlink = 7,
};

constexpr uint64_t round_up(uint64_t value, uint64_t unit) {
    return (value + unit - 1) / unit * unit;
}

} // namespace hrun::erofs
