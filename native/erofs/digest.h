// SPDX-License-Identifier: Apache-2.0
// SHA-256 of a stream.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

struct evp_md_ctx_st;

namespace hrun::erofs {

using Sha256 = std::array<uint8_t, 32>;

class Sha256Stream {
  public:
    Sha256Stream();
    void update(const uint8_t* data, size_t size);
    Sha256 finish(); // once

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// 64 lower-case hex digits.
std::string to_hex(const Sha256& digest);

} // namespace hrun::erofs
