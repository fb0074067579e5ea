// SPDX-License-Identifier: Apache-2.0
#include "erofs/digest.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace hrun::erofs {
namespace {

// libcrypto fails here only without memory or without its default provider.
void require(int ok) {
    if (ok != 1)
        abort();
}

} // namespace

void Sha256Stream::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
    require(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256Stream::update(const uint8_t* data, size_t size) {
    require(EVP_DigestUpdate(context_.get(), data, size));
}

Sha256 Sha256Stream::finish() {
    Sha256 digest;
    unsigned length = digest.size();
    require(EVP_DigestFinal_ex(context_.get(), digest.data(), &length));
    return digest;
}

std::string to_hex(const Sha256& digest) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (uint8_t byte : digest) {
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

} // namespace hrun::erofs
