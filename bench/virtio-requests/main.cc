// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "roles.h"

int main(int argc, char** argv) {
    const std::string_view role = argc > 1 ? argv[1] : "";
    if (role == "machine" && argc == 6)
        return hrun::bench::run_machine({argv[2], argv[3], argv[4], argv[5]});
    if (role == "echo" && argc == 3)
        return hrun::bench::run_echo(argv[2]);
    if (role == "backend" && argc == 3)
        return hrun::bench::run_backend(argv[2]);
    if (role == "peer" && argc == 6)
        return hrun::bench::run_peer(argv[2], static_cast<uint32_t>(atoi(argv[3])), argv[4][0],
                                     strtoull(argv[5], nullptr, 10));
    fprintf(stderr,
            "usage: %s machine GUEST DISK DIRECTORY TAP | backend DIRECTORY | peer SOCKET PORT WHAT BYTES | "
            "echo INTERFACE\n",
            argv[0]);
    return 2;
}
