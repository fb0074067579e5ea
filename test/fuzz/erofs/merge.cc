// SPDX-License-Identifier: Apache-2.0
// Short commands as layers: trees, links and whiteouts in every order, with no tar to get right first.
#include <cstdio>

#include "erofs/image_builder.h"
#include "image_target.h"
#include "memory_source.h"

using namespace hrun::erofs;

namespace {

// Three bytes make one tar entry: type and layer, path, target. Paths are few, so that they meet.
class Script {
  public:
    Script(const uint8_t* data, size_t size) : data_(data), size_(size) {}

    std::string tar_of_layer(unsigned layer) const {
        std::string tar;
        for (size_t at = 0; at + 3 <= size_; at += 3)
            if (data_[at] % 3 == layer)
                tar += entry("015203456"[data_[at] / 3 % 9], path(data_[at + 1]), path(data_[at + 2]));
        return tar;
    }

  private:
    static std::string path(uint8_t code) {
        static const char* const parts[] = {"a", "b", ".wh.a", ".wh.b", ".wh..wh..opq", "..", "a/b", "b/a"};
        return std::string(parts[code & 7]) + "/" + parts[code >> 3 & 7] + (code & 0x40 ? "/a" : "");
    }
    static std::string entry(char type, const std::string& path, const std::string& target) {
        std::string block(512, '\0');
        path.copy(&block[0], 100);
        block.replace(100, 7, "0000644");
        block[156] = type;
        target.copy(&block[157], 100);
        block.replace(148, 8, 8, ' ');
        unsigned sum = 0;
        for (unsigned char byte : block)
            sum += byte;
        snprintf(&block[148], 8, "%06o", sum);
        return block;
    }

    const uint8_t* data_;
    size_t size_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 4)
        return 0;
    static const Limits limits = small_limits();
    ImageBuilder builder(image_fd(), limits, data[0] & 1);
    Script script(data + 1, size - 1);
    for (unsigned layer = 0; layer < 3; layer++) {
        const std::string tar = script.tar_of_layer(layer);
        MemorySource source({reinterpret_cast<const uint8_t*>(tar.data()), tar.size()}, 512);
        std::string path;
        if (!builder.apply(source, path))
            return 0;
    }
    auto finished = builder.finish(Sha256{});
    (void)finished; // a limit may be in the way
    return 0;
}
