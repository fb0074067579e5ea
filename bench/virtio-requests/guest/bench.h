/* SPDX-License-Identifier: Apache-2.0
 * The guest of bench/virtio-requests.ts: what it does is asked for on the serial port, one command a line: a letter, `!` for a
 * run without a device, a decimal number of requests. It answers "done", the ticks of its TSC that the run took, and those of
 * them that it waited: it spins, for going to sleep is what a KVM in software takes longest for, and who measures subtracts that
 * time. All else is as with a driver that sleeps: what it asks interrupts for, and that it reads and acknowledges each.
 *
 * Without a device (`!`) the guest does the same on the same rings, and is its own device: what that takes is the guest's own
 * share of a run, to be subtracted. Registers are then a page of memory. */
#pragma once

#include "virtio.h"

#define DISK_SLOT 0
#define SOCKET_SLOT 1
#define NET_SLOT 2
#define DISK_VECTOR 40
#define SOCKET_VECTOR 41
#define NET_VECTOR 43
#define BULK 65536u

struct run {
    char what;
    bool alone; /* without a device */
    uint32_t count;
};

/* commands.c */
void commands_init(void);
struct run next_command(void);

/* disk.c: r R random reads of 4 KiB, w W writes of 4 KiB, s S sequential reads of 64 KiB; capitals have 16 in flight. */
void disk_init(void);
void disk_run(struct run run);

/* vsock.c: p one byte there and back, u 64 KiB to the host, d 64 KiB from the host. */
void socket_init(void);
void socket_run(struct run run);

/* net.c: t T frames to the host, f F from it, e E there and back; capitals have 16 in flight. */
void net_init(void);
void net_run(struct run run);

/* wait.c: waits until `count` more chains of `queue` are used, having asked for an interrupt then, and acknowledges it. */
void wait_used(struct virtio_queue* queue, uint16_t count);
void acknowledge(const struct virtio_queue* queue);
extern uint64_t ticks_waited;

/* stand_in.c: a queue whose device is the guest itself. stand_in_use() uses the next `count` chains that are available, as
 * if `length` bytes had been written into each. stand_in_end() puts the rings back to where the device knows them. */
struct stand_in {
    struct virtio_queue queue;
    uint16_t available, used;
};
void stand_in_begin(struct stand_in* saved, struct virtio_queue* queue);
void stand_in_use(struct virtio_queue* queue, unsigned count, uint32_t length);
void stand_in_end(const struct stand_in* saved, struct virtio_queue* queue);
