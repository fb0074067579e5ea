// SPDX-License-Identifier: Apache-2.0
#include "erofs/inode_record.h"

#include <cstring>

#include "erofs/xattr.h"

namespace hrun::erofs {

InodeFields fields_of(const Metadata& metadata, uint16_t type) {
    InodeFields fields;
    fields.mode = type | metadata.permissions;
    fields.uid = metadata.uid;
    fields.gid = metadata.gid;
    fields.mtime = metadata.mtime;
    return fields;
}

void encode_inode(const InodeFields& fields, const std::string& xattr_body, std::vector<uint8_t>& record) {
    Inode inode{};
    inode.format = static_cast<uint16_t>(1 | static_cast<uint16_t>(fields.layout) << 1);
    inode.xattr_count = xattr_count(xattr_body.size());
    inode.mode = fields.mode;
    inode.size = fields.size;
    inode.data = fields.data;
    inode.ino = fields.ino;
    inode.uid = fields.uid;
    inode.gid = fields.gid;
    inode.mtime = fields.mtime.seconds;
    inode.mtime_nsec = fields.mtime.nanoseconds;
    inode.nlink = fields.links;
    inode.implied = fields.implied;
    record.resize(record_head_bytes(xattr_body));
    memcpy(record.data(), &inode, sizeof inode);
    memcpy(record.data() + sizeof inode, xattr_body.data(), xattr_body.size());
}

uint32_t encode_device(uint32_t major, uint32_t minor) {
    return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

} // namespace hrun::erofs
