// SPDX-License-Identifier: Apache-2.0
// A container with a busybox image, up and running in a NamespaceRig.
#pragma once

#include "rig/namespace_rig.h"
#include "rig/session.h"

namespace hrun::test {

inline constexpr const char* BUSYBOX_LAYER =
    "mkdir bin etc tmp root; cp /bin/busybox bin; (cd bin; ./busybox --list | grep -vx busybox | xargs -I@ "
    "./busybox ln -s busybox @); "
    "chmod 1777 tmp; "
    "printf 'root:x:0:0:root:/root:/bin/sh\\nalice:x:1000:1000::/home/alice:/bin/sh\\n' > etc/passwd; "
    "printf 'root:x:0:\\nalice:x:1000:\\nstaff:x:50:alice\\naudio:x:29:bob,alice\\n' > etc/group";

// Layers and agent, with HELLO done on `wire`; `configure` may be completed before CONFIGURE is sent.
struct Machine {
    NamespaceRig rig;
    Tlvs configure;
    bool configured = false;

    Machine() { configure.add_u32(HRUN_CONF_LAYER, rig.add_layer(BUSYBOX_LAYER)); }

    // A greeted connection; the first one configures.
    Wire open() {
        if (rig.agent() == 0)
            rig.start();
        Wire wire = rig.connect();
        wire.hello();
        wire.expect(HRUN_HELLO);
        if (!configured) {
            configured = true;
            wire.send(HRUN_CONFIGURE, configure.payload());
            wire.expect(HRUN_CONFIGURED);
        }
        return wire;
    }

    // Runs a command as the container's own process.
    Outcome run(Command command) {
        command.flags |= HRUN_START_INIT_SESSION;
        Wire wire = open();
        return run_session(wire, command);
    }

    Outcome run_shell(const std::string& script) { return run({.arguments = {"sh", "-c", script}}); }
};

} // namespace hrun::test

// Says why a test does not run, and leaves it.
#define REQUIRE_RIG()                                                                                        \
    do {                                                                                                     \
        std::string obstacle = hrun::test::rig_obstacle();                                                   \
        if (!obstacle.empty()) {                                                                             \
            MESSAGE("skipped: " << obstacle);                                                                \
            return;                                                                                          \
        }                                                                                                    \
    } while (0)
