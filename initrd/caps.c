/* SPDX-License-Identifier: Apache-2.0 */
#include "caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int caps_bound(uint64_t mask, struct err* err) {
    for (unsigned capability = 0; capability < 64; capability++) {
        if (mask >> capability & 1)
            continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
            continue;
        /* The first number the kernel does not know is past the last capability. */
        return errno == EINVAL ? 0 : err_system(err, "drop capability %u", capability);
    }
    return 0;
}

/* The capabilities this kernel has: asking for others fails. */
static uint64_t known(void) {
    uint64_t mask = 0;
    for (unsigned capability = 0; capability < 64; capability++) {
        if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0)
            break;
        mask |= UINT64_C(1) << capability;
    }
    return mask;
}

int caps_apply(uint64_t mask, uint32_t uid, struct err* err) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    uint64_t held = uid == 0 ? mask & known() : 0;
    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        data[i].permitted = data[i].effective = (uint32_t)(held >> (32 * i));
    if (syscall(SYS_capset, &header, data) < 0)
        return err_system(err, "set the capabilities");
    return 0;
}
