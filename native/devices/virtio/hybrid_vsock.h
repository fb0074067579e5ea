// SPDX-License-Identifier: Apache-2.0
// vsock for programs of the host, by Firecracker's hybrid convention: no vsock in the host's kernel, but Unix sockets.
//
// Host to guest: connect to `<name>`, send "CONNECT <port>\n", read "OK <host port>\n", then bytes flow. A refusal is
// the end of file. Guest to host: a guest's connection to host port N goes to whoever listens on `<name>_N`.
#pragma once

#include <functional>
#include <list>
#include <string>

#include "base/event_loop.h"
#include "base/fd.h"
#include "devices/virtio/vsock.h"

namespace hrun::virtio {

class HybridVsock {
  public:
    static constexpr size_t kMaxGreeting = 64; // clients that have not sent their CONNECT line yet

    // Sockets lie in `directory`, a descriptor that stays the caller's and outlives this, as do loop and device.
    HybridVsock(EventLoop& loop, int directory, std::string name)
        : loop_(loop), directory_(directory), name_(std::move(name)) {}
    ~HybridVsock() { close(); }

    // How a client gets to the guest's port: as VsockDevice::connect.
    using Connect = std::function<Result<void>(uint32_t guest_port, Fd socket, VsockConnection::Connected)>;

    // Binds the socket and serves clients with `connect`.
    Result<void> listen(Connect connect);
    // The same with a device, which outlives this.
    Result<void> listen(VsockDevice& device);
    // Unbinds the socket; connections made stay.
    void close();
    // The host's end of a guest's connection: pass it to VsockDevice as Accept.
    Result<Fd> accept_from_guest(uint32_t host_port) const;

  private:
    struct Client {
        Fd socket;
        Watch watch;
        Timer limit;
    };
    using Entry = std::list<Client>::iterator;

    void accept_clients();
    void greet(Fd socket);
    void read_line(Entry client);
    void connect_client(Entry client, uint32_t guest_port);

    EventLoop& loop_;
    int directory_;
    std::string name_;
    Connect connect_;
    Fd listener_;
    Watch listening_;
    std::list<Client> clients_;
};

} // namespace hrun::virtio
