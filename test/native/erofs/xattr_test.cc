// SPDX-License-Identifier: Apache-2.0
#include "erofs/xattr.h"

#include <doctest/doctest.h>

#include "erofs/layer_error.h"

using namespace hrun::erofs;

TEST_CASE("only xattrs that Linux has and an image may set are kept") {
    for (const char* name : {"user.a", "trusted.a", "security.capability", "system.posix_acl_access"})
        CHECK(xattr_is_kept(name));
    for (const char* name : {"user.", "trusted.overlay.opaque", "user.overlay.redirect", "security.selinux",
                             "system.posix_acl_accessx", "system.nfs4_acl", "com.apple.x", ""})
        CHECK_FALSE(xattr_is_kept(name));
    CHECK_FALSE(xattr_is_kept(std::string("user.a\0b", 8)));
}

TEST_CASE("entries are ordered by name and padded to 4 bytes") {
    auto entries = encode_xattrs({{"user.b", "12"}, {"user.a", ""}});
    REQUIRE(entries);
    CHECK(*entries == std::string("\x01\x01\0\0a\0\0\0"
                                  "\x01\x01\x02\0b12\0",
                                  16));
    auto body = xattr_body(*entries);
    REQUIRE(body);
    CHECK(body->size() == 12 + 16);
    CHECK(xattr_count(body->size()) == 1 + 4);
    CHECK(xattr_count(0) == 0);
}

TEST_CASE("xattrs too long for the format are refused") {
    CHECK(encode_xattrs({{"user.a", std::string(65536, 'v')}}).error().code == kLayerLimit);
    CHECK(encode_xattrs({{"user." + std::string(251, 'n'), ""}}).error().code == kLayerLimit);
    CHECK(xattr_body(std::string(262144, 'e')).error().code == kLayerLimit);
}

TEST_CASE("overlayfs's own xattrs are taken out again, and damage is noticed") {
    auto entries = encode_xattrs({{"trusted.overlay.opaque", "y"}, {"user.a", "v"}});
    std::string kept;
    bool opaque = false;
    REQUIRE(split_overlay_xattrs(*entries, kept, opaque));
    CHECK(opaque);
    CHECK(kept == *encode_xattrs({{"user.a", "v"}}));
    CHECK_FALSE(split_overlay_xattrs(std::string_view(*entries).substr(0, 10), kept, opaque));
    CHECK_FALSE(split_overlay_xattrs("\x01", kept, opaque));
}
