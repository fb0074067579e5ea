// SPDX-License-Identifier: Apache-2.0
// The image that is being put together, inside the process that is to be frozen. Nothing here takes memory of the heap: a thread that stands still
// may have its lock.
#pragma once

#include "freeze/image.h"

namespace hrun::freeze {

extern Tables tables;

// One line without its end.
extern char mistake[256];

// Says what is in the way, and is false.
__attribute__((format(printf, 1, 2))) bool fail(const char* format, ...);
// The same, with what the last system call has failed for.
bool fail_last(const char* what);

// Stops every other thread of the process, for good, and notes what each needs to go on.
bool stop_threads();
// Notes the process's memory. Of files it shares one at most.
bool note_memory();
bool note_layout();
// Notes its open files but for `talk` and `target`; after note_memory().
bool note_files(int talk, int target);
// Writes it all to the file `target`.
bool write_image(int target);

} // namespace hrun::freeze
