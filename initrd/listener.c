/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"

#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"

#define BACKLOG 16

static int listen_at(int family, const struct sockaddr* address, socklen_t length, struct err* err) {
    owned_fd listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0)
        return err_system(err, "create the agent's socket");
    if (bind(listener, address, length) < 0 || listen(listener, BACKLOG) < 0)
        return err_system(err, "listen on the agent's socket");
    return take_fd(&listener);
}

int listener_open_vsock(uint32_t port, struct err* err) {
    struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = port};
    return listen_at(AF_VSOCK, (const struct sockaddr*)&address, sizeof(address), err);
}

#ifdef HRUN_AGENT_TEST
int listener_open_unix(const char* path, struct err* err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return err_set(err, 0, 0, "socket path %s is too long", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    unlink(path); /* of one before that had the same port */
    return listen_at(AF_UNIX, (const struct sockaddr*)&address, sizeof(address), err);
}
#else
int listener_open_unix(const char* path, struct err* err) {
    return err_set(err, 0, 0, "%s: this build listens on vsock only", path);
}
#endif

int listener_accept(int listener) {
    union {
        struct sockaddr any;
        struct sockaddr_vm vm;
        struct sockaddr_storage storage;
    } peer;
    socklen_t length = sizeof(peer);
    owned_fd connection = accept4(listener, &peer.any, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0)
        return -1;
    if (peer.any.sa_family == AF_VSOCK && peer.vm.svm_cid != VMADDR_CID_HOST)
        return -1;
    return take_fd(&connection);
}
