/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stddef.h>
#include <string.h>

struct options options_parse(int argc, char** argv) {
    struct options options = {.unix_path = NULL, .sysfs = "/sys"};
#ifdef HRUN_AGENT_TEST
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--listen-unix") == 0)
            options.unix_path = argv[i + 1];
        else if (strcmp(argv[i], "--sysfs") == 0)
            options.sysfs = argv[i + 1];
    }
#else
    (void)argc;
    (void)argv;
#endif
    return options;
}
