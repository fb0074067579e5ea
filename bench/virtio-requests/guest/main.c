/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"
#include "user_mode.h"

void guest_main(const uint8_t* zero_page) {
    (void)zero_page;
    interrupts_init();
    user_mode_init();
    apic_init();
    commands_init();
    disk_init();
    socket_init();
    print("ready\n");
    for (;;) {
        const struct run run = next_command();
        const bool socket = run.what == 'p' || run.what == 'u' || run.what == 'd';
        ticks_waited = 0;
        const uint64_t begin = rdtsc();
        user_mode_call(socket ? socket_run : disk_run, run);
        print("done %lu %lu\n", rdtsc() - begin, ticks_waited);
    }
}
