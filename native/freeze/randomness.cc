// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>

namespace {

// Copies of a process would have the state of its random number generator in common, and take the same numbers from it: the kernel's have none.
void fill_randomly(void* to, size_t size) {
    for (size_t done = 0; done < size;) {
        const ssize_t count = getrandom(static_cast<char*>(to) + done, size - done, 0);
        if (count > 0)
            done += static_cast<size_t>(count);
        else if (errno != EINTR)
            abort();
    }
}

} // namespace

// In place of those of GnuTLS and of libgcrypt, of which QEMU takes what it gives its guest by RDRAND and virtio-rng (crypto/random-*.c).
extern "C" {

__attribute__((visibility("default"))) int gnutls_rnd(int, void* to, size_t size);
__attribute__((visibility("default"))) void gcry_randomize(void* to, size_t size, int);

int gnutls_rnd(int, void* to, size_t size) {
    fill_randomly(to, size);
    return 0;
}

void gcry_randomize(void* to, size_t size, int) {
    fill_randomly(to, size);
}
}
