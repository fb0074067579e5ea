/* SPDX-License-Identifier: Apache-2.0
 * A vsock driver for one port (virtio 1.2, 5.10). The guest forwards each packet before it takes the next, so its window
 * is what it has posted. */
#pragma once

#include "virtio.h"

#define VSOCK_BUFFER 65536u
#define VSOCK_BUFFERS 8

enum vsock_operation {
    VSOCK_REQUEST = 1,
    VSOCK_RESPONSE,
    VSOCK_RST,
    VSOCK_SHUTDOWN,
    VSOCK_RW,
    VSOCK_CREDIT_UPDATE,
    VSOCK_CREDIT_REQUEST,
};

struct vsock_header {
    uint64_t source_cid, target_cid;
    uint32_t source_port, target_port, length;
    uint16_t type, operation;
    uint32_t flags, buffer_size, forwarded;
} __attribute__((packed));

struct vsock_packet {
    struct vsock_header header;
    uint8_t data[VSOCK_BUFFER];
};

/* Sets the device up, with these features of its rings, and posts all buffers. Interrupts must be initialized. */
void vsock_init(unsigned slot, uint32_t port, uint64_t ring_features);
/* Sleeps until a packet is there. It is the caller's until it is posted again. */
struct vsock_packet* vsock_receive(void);
void vsock_post(struct vsock_packet* packet);
/* Answers the packet's sender in place, with the payload that is there, and waits until the device has taken it. */
void vsock_answer(struct vsock_packet* packet, enum vsock_operation operation, uint32_t length);
/* `length` bytes were used up: the sender may send as many again. */
void vsock_forward(uint32_t length);
/* The peer has room for `length` bytes more. */
bool vsock_may_send(uint32_t length);
/* Bytes sent so far. */
uint32_t vsock_sent(void);
