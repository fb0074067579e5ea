// SPDX-License-Identifier: Apache-2.0
#include "monitor/checkpoint_maker.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <variant>

#include "base/sparse_file.h"
#include "monitor/checkpoint_files.h"
#include "monitor/container.h"
#include "monitor/monitor_call.h"
#include "monitor/template_files.h"

namespace hrun::monitor {

namespace {

constexpr int kSaveMilliseconds = 180000;   // the monitor has limits of its own below
constexpr int kReleaseMilliseconds = 60000; // the same

// The one disk that is the container's own; the monitor refuses containers that have others.
Result<std::string> own_disk(const Config& config) {
    const auto disk = std::find_if(config.disks.begin(), config.disks.end(),
                                   [](const DiskConfig& each) { return !each.read_only; });
    if (disk == config.disks.end())
        return Error{ENOENT, "find the container's disk"};
    return disk->path;
}

// What the monitor hands over may be anything, if its guest has taken it over.
Result<void> copy_memory(int source, int target, uint64_t bytes) {
    struct stat st;
    if (fstat(source, &st) < 0 || !S_ISREG(st.st_mode) || static_cast<uint64_t>(st.st_size) != bytes)
        return Error{EPROTO, "the container's monitor has handed over another memory"};
    HRUN_TRY(copy_sparse(source, target));
    return TemplateFiles::dig_holes(target, bytes);
}

Result<void> copy_disk(const std::string& path, int target) {
    const Fd source(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat st;
    if (!source.valid() || fstat(source.get(), &st) < 0 || !S_ISREG(st.st_mode))
        return Error::last("open disk " + path);
    return copy_sparse(source.get(), target);
}

Result<void> named(const Result<void>& done, const char* what) {
    return done ? done : Error{done.error().code, std::string("copy the container's ") + what};
}

// With the machine standing still.
Result<void> copy(const CheckpointFiles& files, const Config& config, int memory) {
    auto disk = own_disk(config);
    if (!disk)
        return disk.error();
    HRUN_TRY(named(copy_memory(memory, files.memory.get(), config.memory_mib << 20), "memory"));
    return named(copy_disk(*disk, files.disk.get()), "disk");
}

// One that ends does so only when all of it is safe; one that goes on need not wait for that.
Result<void> finish(MonitorCall& call, const CheckpointFiles& files, int directory, bool ends) {
    if (ends)
        HRUN_TRY(files.seal(directory));
    HRUN_TRY(call.send(frame_of(HRUN_RELEASE, uint32_t{!ends})));
    auto released = call.await(ends ? HRUN_GONE : HRUN_RELEASED, kReleaseMilliseconds);
    if (!released)
        return released.error();
    return ends ? Result<void>() : files.seal(directory);
}

} // namespace

// The monitor lets the container go on when the connection ends before RELEASE.
Result<void> make_checkpoint(const char* container, const char* path, bool ends) {
    auto whole = whole_path(container);
    if (!whole)
        return whole.error();
    const Fd settings(open(whole->c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    const auto config = read_config(settings.get());
    if (const auto* mistake = std::get_if<std::string>(&config))
        return Error{EINVAL, *whole + ": " + *mistake};
    const Fd directory(open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    if (!directory.valid())
        return Error::last(std::string("open ") + path);
    auto files = CheckpointFiles::create(directory.get());
    auto call = MonitorCall::begin(*whole);
    if (!files || !call)
        return files ? call.error() : files.error();
    HRUN_TRY(call->send(frame(HRUN_CHECKPOINT), {files->state.get()}));
    auto saved = call->await(HRUN_SAVED, kSaveMilliseconds);
    if (!saved)
        return saved.error();
    if (saved->size() != 1)
        return Error{EPROTO, "the container's monitor has handed over no memory"};
    HRUN_TRY(copy(*files, std::get<Config>(config), saved->front().get()));
    return finish(*call, *files, directory.get(), ends);
}

} // namespace hrun::monitor
