/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"
#include "user_mode.h"

static void (*device_of(struct run run))(struct run) {
    switch (run.what | 0x20) {
    case 'p':
    case 'u':
    case 'd':
        return socket_run;
    case 't':
    case 'f':
    case 'e':
        return net_run;
    default:
        return disk_run;
    }
}

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    user_mode_init();
    apic_init();
    commands_init();
    disk_init();
    socket_init();
    net_init();
    print("ready\n");
    for (;;) {
        const struct run run = next_command();
        ticks_waited = 0;
        const uint64_t begin = rdtsc();
        user_mode_call(device_of(run), run);
        print("done %lu %lu\n", rdtsc() - begin, ticks_waited);
    }
}
