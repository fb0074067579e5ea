/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the host connects: the vsock port of the protocol, or in a test build a Unix socket.
 */
#ifndef HRUN_LISTENER_H
#define HRUN_LISTENER_H

#include <stdint.h>

#include "err.h"

/* Listens on a port. Returns a descriptor or -1. */
int listener_open_vsock(uint32_t port, struct err* err);

/* Test build: listens on a Unix socket at `path`. */
int listener_open_unix(const char* path, struct err* err);

/* Accepts one connection, non-blocking. Only the host is let in: a process in the container can reach the
 * port too, by the guest's own address. Returns -1 when there is none. */
int listener_accept(int listener);

#endif
