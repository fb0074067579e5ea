// SPDX-License-Identifier: Apache-2.0
#include "freeze/tables.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

namespace hrun::freeze {

Tables tables;
char mistake[256];

bool fail(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(mistake, sizeof mistake - 1, format, arguments); // room for the end of the line is left
    va_end(arguments);
    return false;
}

bool fail_last(const char* what) {
    return fail("%s: %s", what, strerrordesc_np(errno));
}

} // namespace hrun::freeze
