/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <fcntl.h>
#include <linux/random.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "cleanup.h"

#define MAX_ENTROPY 256

int clock_set(uint64_t time_ns, struct err* err) {
    const struct timespec now = {.tv_sec = (time_t)(time_ns / 1000000000u),
                                 .tv_nsec = (long)(time_ns % 1000000000u)};
    return clock_settime(CLOCK_REALTIME, &now) < 0 ? err_system(err, "set the clock") : 0;
}

int entropy_add(const uint8_t* bytes, size_t length, struct err* err) {
    union {
        struct rand_pool_info info;
        uint8_t room[sizeof(struct rand_pool_info) + MAX_ENTROPY];
    } pool;
    if (length > MAX_ENTROPY)
        return err_set(err, 0, 0, "%zu bytes of entropy are too many", length);
    pool.info.entropy_count = (int)(8 * length);
    pool.info.buf_size = (int)length;
    memcpy(pool.info.buf, bytes, length);
    owned_fd random = open("/dev/urandom", O_RDWR | O_CLOEXEC);
    if (random < 0 || ioctl(random, RNDADDENTROPY, &pool) < 0 || ioctl(random, RNDRESEEDCRNG) < 0)
        return err_system(err, "seed the random number generator");
    return 0;
}
