/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct options options_parse(int argc, char** argv) {
    struct options options = {.unix_path = NULL, .template_slot = -1, .nic_slot = -1, .sysfs = "/sys"};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--template") == 0)
            options.template_slot = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--nic") == 0)
            options.nic_slot = atoi(argv[i + 1]);
#ifdef HRUN_AGENT_TEST
        else if (strcmp(argv[i], "--listen-unix") == 0)
            options.unix_path = argv[i + 1];
        else if (strcmp(argv[i], "--sysfs") == 0)
            options.sysfs = argv[i + 1];
#endif
    }
    return options;
}
