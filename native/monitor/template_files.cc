// SPDX-License-Identifier: Apache-2.0
#include "monitor/template_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "base/sparse_file.h"

namespace hrun::monitor {

namespace {

constexpr size_t kPage = 4096;

Result<Fd> open_regular(int directory, const char* name) {
    Fd file(openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat st;
    if (!file.valid() || fstat(file.get(), &st) < 0)
        return Error::last(std::string("open ") + name);
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return Error{EINVAL, std::string("use ") + name};
    return file;
}

// write(2) from the page cache to a memory file: no page of it is mapped, so none faults.
Result<void> copy_range(int source, int target, off_t begin, off_t end) {
    const auto length = static_cast<size_t>(end - begin);
    void* const from = mmap(nullptr, length, PROT_READ, MAP_SHARED | MAP_POPULATE, source, begin);
    if (from == MAP_FAILED)
        return Error::last("map a template's memory");
    Result<void> done;
    for (size_t at = 0; done && at < length;) {
        const ssize_t written =
            pwrite(target, static_cast<const char*>(from) + at, length - at, begin + static_cast<off_t>(at));
        if (written > 0)
            at += static_cast<size_t>(written);
        else
            done = Error::last("copy a template's memory");
    }
    munmap(from, length);
    return done;
}

bool is_zero(const char* page) {
    return page[0] == 0 && std::memcmp(page, page + 1, kPage - 1) == 0;
}

Result<void> dig(int file, off_t begin, off_t end) {
    const auto length = static_cast<size_t>(end - begin);
    void* const pages = mmap(nullptr, length, PROT_READ, MAP_SHARED, file, begin);
    if (pages == MAP_FAILED)
        return Error::last("map a template's memory");
    Result<void> done;
    for (size_t at = 0; done && at < length; at += kPage)
        if (is_zero(static_cast<const char*>(pages) + at) &&
            fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, begin + static_cast<off_t>(at),
                      kPage) < 0)
            done = Error::last("shorten a template's memory");
    munmap(pages, length);
    return done;
}

} // namespace

Result<TemplateFiles> TemplateFiles::open(const std::string& path, Engine engine, uint64_t memory_bytes) {
    const Fd directory(::open(path.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
    if (!directory.valid())
        return Error::last("open " + path);
    auto state = open_regular(directory.get(), kState);
    if (!state)
        return state.error();
    if (engine == Engine::kKvm) // its memory is in there, and checked when the machine is made
        return TemplateFiles{std::move(*state), Fd(), memory_bytes, false, Fd(), Fd()};
    auto memory = open_regular(directory.get(), kMemory);
    if (!memory)
        return memory.error();
    struct stat st;
    if (fstat(memory->get(), &st) < 0 || static_cast<uint64_t>(st.st_size) != memory_bytes)
        return Error{EINVAL, "use a template of another size"};
    const bool nic = faccessat(directory.get(), kNic, F_OK, 0) == 0;
    TemplateFiles files{std::move(*state), std::move(*memory), memory_bytes, nic, Fd(), Fd()};
    auto process = open_regular(directory.get(), kProcess);
    auto of_process = open_regular(directory.get(), kProcessMemory);
    if (process && of_process && fstat(of_process->get(), &st) == 0 &&
        static_cast<uint64_t>(st.st_size) == memory_bytes) {
        files.process = std::move(*process);
        files.process_memory = std::move(*of_process);
    }
    return files;
}

Result<void> TemplateFiles::dig_holes(int memory, uint64_t memory_bytes) {
    return each_data_range(memory, memory_bytes,
                           [memory](off_t begin, off_t end) { return dig(memory, begin, end); });
}

Result<void> TemplateFiles::copy_memory(int source, int target, uint64_t bytes) {
    return each_data_range(source, bytes, [source, target](off_t begin, off_t end) {
        return copy_range(source, target, begin, end);
    });
}

Result<Fd> create_file(const char* name) {
    Fd file(::open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid())
        return Error::last(std::string("create ") + name);
    return file;
}

} // namespace hrun::monitor
