// SPDX-License-Identifier: Apache-2.0
// An inode as it stands on the disk: struct erofs_inode_extended, its xattrs, then its inline tail or
// chunk map.
#pragma once

#include <string>
#include <vector>

#include "erofs/layout.h"
#include "erofs/tar_entry.h"

namespace hrun::erofs {

struct InodeFields {
    uint16_t mode = 0; // type and permissions
    uint32_t uid = 0, gid = 0;
    PaxTime mtime;
    uint64_t size = 0;
    uint32_t links = 1;
    DataLayout layout = DataLayout::kFlatPlain;
    uint32_t data = 0; // first data block, device number, or chunk format
    uint32_t ino = 0;
    bool implied = false; // a directory without an entry of its own
};

InodeFields fields_of(const Metadata& metadata, uint16_t type);

// Bytes of a record before its tail.
inline size_t record_head_bytes(const std::string& xattr_body) {
    return sizeof(Inode) + xattr_body.size();
}

// Replaces `record` by the inode and its xattrs; the caller appends the tail.
void encode_inode(const InodeFields& fields, const std::string& xattr_body, std::vector<uint8_t>& record);

// Linux's encoding of device numbers on disk (new_encode_dev).
uint32_t encode_device(uint32_t major, uint32_t minor);

} // namespace hrun::erofs
