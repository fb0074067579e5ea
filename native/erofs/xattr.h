// SPDX-License-Identifier: Apache-2.0
// Extended attributes as they stand behind an inode.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "erofs/tar_entry.h"

namespace hrun::erofs {

// True for attributes that an image may set and EROFS can hold. Dropped are: overlayfs's own
// (trusted.overlay.*, user.overlay.*: an image must not steer the overlay it is mounted in),
// security.selinux (the host's, not the image's; umoci drops it too), and namespaces Linux does not have.
bool xattr_is_kept(const std::string& name);

// The attributes' entries (struct erofs_xattr_entry …), ordered by name, without the header in front.
// kLayerLimit if one is too long for the format.
Result<std::string> encode_xattrs(std::vector<Xattr> xattrs);

// The whole inline body for an inode, empty for no entries, and its i_xattr_icount. kLayerLimit if the
// count does not fit 16 bits.
Result<std::string> xattr_body(const std::string& entries);
uint16_t xattr_count(size_t body_bytes);

// Takes encoded entries apart: overlayfs's own out of `kept`, and whether they make the directory opaque.
// False if they are damaged.
bool split_overlay_xattrs(std::string_view entries, std::string& kept, bool& opaque);

} // namespace hrun::erofs
