// SPDX-License-Identifier: Apache-2.0
// The host's side of one vsock connection: a non-blocking stream socket and the bytes that it would not take yet.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_ring.h"
#include "base/event_loop.h"
#include "base/fd.h"

namespace hrun::virtio {

class VsockStream {
  public:
    // Bytes held for a host that does not read: what the guest may send ahead (its buf_alloc).
    static constexpr uint32_t kBufferBytes = 128 * 1024;

    explicit VsockStream(Fd socket) : socket_(std::move(socket)) {}

    // Watches the socket; `changed` is called when it may be read or written again, instead of the one given before.
    Result<void> watch(EventLoop& loop, EventLoop::Callback changed);
    void unwatch() { watch_.reset(); }

    // Guest to host. Writes what the socket takes and keeps the rest; false, with nothing taken, when `size` bytes
    // have no room: the guest sent more than it was allowed. Bytes for a host that reads no more are dropped.
    bool send(std::span<const iovec> bytes, size_t size);
    // Writes kept bytes.
    void flush();
    // No byte follows those sent so far: the host sees end of file once it has read them.
    void finish_sending();

    // Host to guest: reads into `to`. The number of bytes, or 0 when there are none now or ever; see readable().
    size_t receive(std::span<const iovec> to);
    // The guest reads no more: the host's writes fail from now on.
    void stop_receiving();

    bool readable() const { return readable_ && !read_closed_; }
    bool read_closed() const { return read_closed_; }   // end of file seen, or stop_receiving
    bool write_closed() const { return write_closed_; } // the host reads no more
    bool drained() const { return pending_.empty(); }
    // Bytes ever passed on to the host or dropped, modulo 2^32: the connection's fwd_cnt.
    uint32_t forwarded() const { return forwarded_; }

  private:
    size_t write(std::span<const iovec> bytes);
    void lose_reader();
    void finish_if_drained();

    Fd socket_;
    Watch watch_;
    ByteRing pending_{kBufferBytes};
    uint32_t forwarded_ = 0;
    bool readable_ = true;
    bool writable_ = true;
    bool ended_ = false; // the host has announced the end of its bytes
    bool read_closed_ = false;
    bool write_closed_ = false;
    bool finishing_ = false;
};

} // namespace hrun::virtio
