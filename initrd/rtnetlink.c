/* SPDX-License-Identifier: Apache-2.0 */
#include "rtnetlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define TOO_LONG UINT32_MAX

static void append(struct rtnetlink_message* message, const void* value, size_t size) {
    size_t used = message->header.nlmsg_len - sizeof(message->header);
    if (message->header.nlmsg_len == TOO_LONG || NLMSG_ALIGN(size) > sizeof(message->body) - used) {
        message->header.nlmsg_len = TOO_LONG;
        return;
    }
    memcpy(message->body + used, value, size);
    message->header.nlmsg_len += NLMSG_ALIGN(size);
}

void rtnetlink_begin(struct rtnetlink_message* message, uint16_t type, uint16_t flags, const void* fixed,
                     size_t size) {
    memset(message, 0, sizeof(*message));
    message->header.nlmsg_len = sizeof(message->header);
    message->header.nlmsg_type = type;
    message->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    append(message, fixed, size);
}

void rtnetlink_put(struct rtnetlink_message* message, uint16_t type, const void* value, size_t size) {
    const struct rtattr attribute = {.rta_len = (uint16_t)RTA_LENGTH(size), .rta_type = type};
    append(message, &attribute, sizeof(attribute));
    append(message, value, size);
}

int rtnetlink_open(void) {
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

/* The answer is the kernel's own (port 0), one error message: 0 in it is success. */
static int receive_answer(int socket_fd) {
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t rest[RTNETLINK_MAX_MESSAGE + 256]; /* the request, and what it is told beside */
    } answer;
    ssize_t size;
    do
        size = recv(socket_fd, &answer, sizeof(answer), 0);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return -1;
    if ((size_t)size < sizeof(answer.header) + sizeof(answer.error) ||
        answer.header.nlmsg_type != NLMSG_ERROR) {
        errno = EPROTO;
        return -1;
    }
    errno = -answer.error.error;
    return answer.error.error ? -1 : 0;
}

int rtnetlink_send(int socket_fd, struct rtnetlink_message* message) {
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (message->header.nlmsg_len == TOO_LONG) {
        errno = EMSGSIZE;
        return -1;
    }
    if (sendto(socket_fd, message, message->header.nlmsg_len, 0, (const struct sockaddr*)&kernel,
               sizeof(kernel)) < 0)
        return -1;
    return receive_answer(socket_fd);
}
