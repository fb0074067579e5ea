// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace hrun::freeze {

// A directory's entries, without memory of the heap: a thread that stands still may have its lock.
class Entries {
  public:
    explicit Entries(const char* path) : fd_(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
    ~Entries() { close(fd_); }
    Entries(const Entries&) = delete;
    Entries& operator=(const Entries&) = delete;

    int fd() const { return fd_; }
    // The next name that is a number; null when there is none.
    const char* next() {
        for (;;) {
            if (at_ >= size_ && !read_more())
                return nullptr;
            const auto* entry = reinterpret_cast<const Entry*>(buffer_ + at_);
            at_ += entry->length;
            if (entry->name[0] >= '0' && entry->name[0] <= '9')
                return entry->name;
        }
    }

  private:
    // getdents64(2)
    struct Entry {
        uint64_t inode;
        int64_t offset;
        unsigned short length;
        unsigned char type;
        char name[];
    };

    bool read_more() {
        size_ = fd_ < 0 ? -1 : syscall(SYS_getdents64, fd_, buffer_, sizeof buffer_);
        at_ = 0;
        return size_ > 0;
    }

    int fd_;
    long size_ = 0;
    long at_ = 0;
    alignas(8) char buffer_[4096];
};

} // namespace hrun::freeze
