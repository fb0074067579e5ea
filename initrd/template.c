/* SPDX-License-Identifier: Apache-2.0 */
#include "template.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"

/* What the kernel puts off when it boots is over by then: the change to its best clock, the first grace periods, its workers. Every copy
 * would do it once more, in code that runs for the first time there. */
static const struct timespec settle = {.tv_sec = 3};

/* How soon a copy is seen after it begins to run. The template itself stands still meanwhile. */
static const struct timespec look_again = {.tv_nsec = 500000};

int template_wait(const char* sysfs, uint32_t vsock_slot, struct err* err) {
    static const char ready[] = TEMPLATE_READY "\n";
    nanosleep(&settle, NULL);
    if (write(STDERR_FILENO, ready, sizeof(ready) - 1) < 0)
        return err_system(err, "say that the template is ready");
    while (device_bind(sysfs, vsock_slot, err) < 0) {
        if (err->number != ENODEV)
            return -1;
        nanosleep(&look_again, NULL);
    }
    return 0;
}

void template_bind_rest(const char* sysfs) {
    for (uint32_t slot = 0; slot < TEMPLATE_SLOTS; slot++) {
        struct err ignored; /* most slots are empty */
        device_bind(sysfs, slot, &ignored);
    }
}
