// SPDX-License-Identifier: Apache-2.0
// The parts of hrun-thaw. All its memory is static, or below the program's break: everything else is unmapped on the way.
#pragma once

#include "freeze/image.h"

namespace hrun::freeze {

struct Thawing : Tables {
    int image = -1; // open files
    int shared = -1;
};

extern Thawing thawing;

// One line on standard error, with what the last system call has failed for, and the end.
[[noreturn]] void fail(const char* what, const char* of = "");
// The same without.
[[noreturn]] void refuse(const char* what);

// What is the image's must be where nothing of this program is, in order, and disjoint.
void check_regions();
// Unmaps all but this program, and maps what is the image's. To be called on static memory for a stack.
void replace_memory();

// Moves the files that hrun-thaw works with to numbers that the process has not.
void set_files_aside();
void open_files();

void set_actions();
// All but the first stand still until it goes on.
void start_threads();
// This thread goes on as the first.
[[noreturn]] void become_first();

} // namespace hrun::freeze
