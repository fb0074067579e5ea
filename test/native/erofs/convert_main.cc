// SPDX-License-Identifier: Apache-2.0
// erofs_convert IMAGE BLOB…: the converter from a shell, for the memory test, the bench and debugging.
// One blob is converted, several are merged, lowest first. Prints the digests and the peak memory.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdio>

#include "base/fd.h"
#include "erofs/converter.h"

using namespace hrun;
using namespace hrun::erofs;

namespace {

int fail(const LayerError& error) {
    fprintf(stderr, "erofs_convert: %s (code %d)\n", error.message.c_str(), error.code);
    return 1;
}

std::unique_ptr<BlobSource> open_blob(const char* path, Fd& fd) {
    struct stat st;
    fd.reset(::open(path, O_RDONLY | O_CLOEXEC));
    if (::fstat(fd.get(), &st) < 0)
        return nullptr;
    return std::make_unique<FileBlobSource>(fd.get(), 0, static_cast<uint64_t>(st.st_size));
}

int convert(BlobSource& blob, int output_fd) {
    auto result = Conversion(Limits{}).convert(blob, output_fd, -1);
    if (auto* error = std::get_if<LayerError>(&result))
        return fail(*error);
    const auto& summary = std::get<LayerSummary>(result);
    printf("blob sha256 %s bytes %lu\ntar sha256 %s bytes %lu\nimage bytes %lu entries %lu\n",
           to_hex(summary.digests.blob).c_str(), summary.digests.blob_bytes,
           to_hex(summary.digests.tar).c_str(), summary.digests.tar_bytes, summary.erofs_bytes,
           summary.entries);
    return 0;
}

int merge(std::vector<std::unique_ptr<BlobSource>> blobs, int output_fd) {
    auto result = Conversion(Limits{}).merge(std::move(blobs), output_fd, true);
    if (auto* error = std::get_if<LayerError>(&result))
        return fail(*error);
    const auto& summary = std::get<MergeSummary>(result);
    printf("image bytes %lu entries %lu\n", summary.erofs_bytes, summary.entries);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: erofs_convert IMAGE BLOB...\n");
        return 2;
    }
    Fd output(::open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    std::vector<Fd> fds(static_cast<size_t>(argc - 2));
    std::vector<std::unique_ptr<BlobSource>> blobs;
    for (int i = 2; i < argc; i++) {
        blobs.push_back(open_blob(argv[i], fds[static_cast<size_t>(i - 2)]));
        if (!blobs.back()) {
            perror(argv[i]);
            return 1;
        }
    }
    const int status = argc == 3 ? convert(*blobs[0], output.get()) : merge(std::move(blobs), output.get());
    struct rusage usage;
    ::getrusage(RUSAGE_SELF, &usage);
    printf("peak KiB %ld\n", usage.ru_maxrss);
    return status;
}
