/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to the kernel's network configuration (rtnetlink(7)): a message is put together in a buffer of its own,
 * sent, and acknowledged.
 */
#ifndef HRUN_RTNETLINK_H
#define HRUN_RTNETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define RTNETLINK_MAX_MESSAGE 256

struct rtnetlink_message {
    struct nlmsghdr header;
    uint8_t body[RTNETLINK_MAX_MESSAGE];
};

/* Begins a request of `type` (RTM_*) whose family header is the `size` bytes at `fixed`. `flags` beside NLM_F_ACK. */
void rtnetlink_begin(struct rtnetlink_message* message, uint16_t type, uint16_t flags, const void* fixed,
                     size_t size);

/* Appends an attribute. What does not fit makes rtnetlink_send fail with EMSGSIZE. */
void rtnetlink_put(struct rtnetlink_message* message, uint16_t type, const void* value, size_t size);

/* A socket for rtnetlink_send, or -1 and errno. */
int rtnetlink_open(void);

/* Sends the message and waits for the kernel's answer. 0, or -1 and errno: the kernel's, if it refused. */
int rtnetlink_send(int socket_fd, struct rtnetlink_message* message);

#endif
