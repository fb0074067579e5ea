/* SPDX-License-Identifier: Apache-2.0 */
#include "../lib/guest.h"

void guest_main(const uint8_t* zero_page) {
    const char* command_line = (const char*)(uintptr_t) * (const uint32_t*)(zero_page + 0x228);
    print("command line: %s\n", command_line);
    char word[6] = {0};
    for (int i = 0; i < 5; ++i)
        word[i] = read_console();
    print("read: %s\n", word);
    print("ok\n");
}
