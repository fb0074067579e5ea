// SPDX-License-Identifier: Apache-2.0
// A process that stands still, as a file: what is in its memory, its threads and its open files. Written by freezer.cc inside the process, read
// by thaw.cc. Both run on one host, between two of its boots, and are of one build.
//
// The file: Header, `regions` of Region, `threads` of Thread, `files` of OpenFile, `text_bytes` of names that end in zero; and, from a page's
// boundary on, what the regions hold.
#pragma once

#include <cstdint>

namespace hrun::freeze {

constexpr char kMagic[8] = {'h', 'r', 'u', 'n', 'f', 'r', 'z', '1'};
constexpr uint64_t kPage = 4096;
constexpr unsigned kSignals = 64;
constexpr uint32_t kMaxRegions = 4096;
constexpr uint32_t kMaxThreads = 64;
constexpr uint32_t kMaxFiles = 256;
constexpr uint32_t kMaxText = 256 << 10;

// As the kernel has it, not as <signal.h> does.
struct SignalAction {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

// Where the kernel takes the process's parts to be; only its heap and what `ps` shows depend on it. As struct prctl_mm_map has it.
struct Layout {
    uint64_t start_code, end_code;
    uint64_t start_data, end_data;
    uint64_t start_brk, brk;
    uint64_t start_stack;
    uint64_t arg_start, arg_end;
    uint64_t env_start, env_end;
};

struct Header {
    char magic[8];
    Layout layout;
    uint32_t regions;
    uint32_t threads; // the first is the one the process began with
    uint32_t files;
    uint32_t text_bytes;
    SignalAction actions[kSignals];
};

enum class RegionKind : uint32_t {
    kEmpty,  // zeros
    kImage,  // of this file, from `offset` on
    kFile,   // of the file called `text`, from `offset` on
    kShared, // of the file that processes share, from `offset` on
    kKernel, // the kernel's own: vdso, vvar
};

// Addresses are multiples of kPage. In ascending order, and disjoint.
struct Region {
    uint64_t begin;
    uint64_t end;
    uint64_t offset; // in a file
    uint64_t device; // kFile: which file it was, so that no other is taken for it
    uint64_t inode;
    int64_t changed_s;
    int64_t changed_ns;
    RegionKind kind;
    uint32_t protection; // PROT_
    uint32_t text;       // kFile: the name, from the first byte of the names on
    uint32_t unused;
};

struct Thread {
    uint64_t context; // where rt_sigreturn(2) finds what the thread goes on with
    uint64_t fs_base;
    uint64_t tid_address; // set_tid_address(2)
    uint64_t robust_list; // set_robust_list(2)
    uint64_t rseq;        // rseq(2); 0: none
    uint32_t rseq_bytes;
    char name[16];
    uint32_t unused;
};

enum class FileKind : uint32_t {
    kGiven,  // whoever thaws has it at this number
    kShared, // the file that processes share
    kEvent,  // eventfd(2), of `value`
    kEpoll,  // epoll(7), of nothing
    kSignal, // signalfd(2), of the signals in `value`
};

struct OpenFile {
    int32_t number;
    FileKind kind;
    uint64_t value;
    uint32_t status; // F_GETFL
    uint32_t close_on_exec;
};

// All of them.
struct Tables {
    Header header;
    Region regions[kMaxRegions];
    Thread threads[kMaxThreads];
    OpenFile files[kMaxFiles];
    char text[kMaxText];
};

} // namespace hrun::freeze
