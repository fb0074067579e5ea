// SPDX-License-Identifier: Apache-2.0
// Two images of which the upper only implies what the lower describes, damaged at places of the fuzzer's choice:
// reading them must end, in an error or in a layer to stack on top.
#include <unistd.h>

#include <vector>

#include "erofs/directory_join.h"
#include "erofs/image_builder.h"
#include "image_target.h"

using namespace hrun;
using namespace hrun::erofs;

namespace {

JoinedDirectory directory(const char* name, bool implied, std::vector<JoinedDirectory> below) {
    JoinedDirectory made{name, {}, std::move(below)};
    made.directory.implied = implied;
    made.directory.xattrs = std::string("\x01\x01\x01\0av\0\0", 8);
    return made;
}

std::vector<uint8_t> image(bool implied) {
    std::vector<JoinedDirectory> leaves;
    for (const char* name : {"a", "b", "c"})
        leaves.push_back(directory(name, implied, {}));
    const JoinedDirectory root =
        directory("", implied, {directory("usr", implied, leaves), directory("tmp", implied, {})});
    const Limits limits;
    ImageBuilder builder(image_fd(), limits, false);
    builder.graft(root);
    auto bytes = builder.finish(Sha256{});
    std::vector<uint8_t> content(bytes ? *bytes : 0);
    if (::pread(image_fd(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()))
        abort();
    return content;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const std::vector<uint8_t> originals[] = {image(false), image(true)};
    static const Fd files[] = {Fd(::memfd_create("lower", 0)), Fd(::memfd_create("upper", 0))};
    std::vector<uint8_t> damaged[] = {originals[0], originals[1]};
    for (; size >= 4; data += 4, size -= 4) {
        std::vector<uint8_t>& target = damaged[data[0] & 1];
        target[(data[1] << 8 | data[2]) % target.size()] = data[3];
    }
    std::vector<ImageReader> images;
    for (size_t i = 0; i < 2; i++) {
        if (::pwrite(files[i].get(), damaged[i].data(), damaged[i].size(), 0) < 0)
            abort();
        auto reader = ImageReader::open(files[i].get());
        if (!reader)
            return 0;
        images.push_back(*reader);
    }
    auto joined = join_directories(images);
    if (!joined || !joined->root)
        return 0;
    const Limits limits;
    ImageBuilder builder(image_fd(), limits, false);
    builder.graft(*joined->root);
    auto finished = builder.finish(Sha256{});
    (void)finished; // names may repeat in a damaged directory; it only must not crash
    return 0;
}
