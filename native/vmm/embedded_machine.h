// SPDX-License-Identifier: Apache-2.0
// A machine with a thread of its own for its devices: for programs that have no EventLoop, such as the addon.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "devices/virtio/vsock.h"
#include "kvm/system.h"
#include "vmm/console_buffer.h"
#include "vmm/machine.h"

namespace hrun::vmm {

struct EmbeddedConfig {
    Config machine;
    std::string snapshot; // a file: the machine goes on from it, and nothing else of `machine` counts
    bool vsock = false;
    uint32_t vsock_slot = 0;
    uint64_t vsock_cid = 3;
};

class EmbeddedMachine {
  public:
    // Called on the device thread.
    struct Events {
        std::function<void(std::string bytes)> console;
        // The machine has come to its end, once; nothing is called after it.
        std::function<void(End end)> ended;
    };
    using Done = std::function<void(Result<void>)>;

    // Starts the thread, which builds the machine; `built` is called there. After a failure only destruction is left.
    EmbeddedMachine(EmbeddedConfig config, Events events, Done built);
    // Stops the guest and returns when all is gone: threads, memory, descriptors.
    ~EmbeddedMachine();

    // From any thread; the outcome is told on the device thread. ECANCELED once the machine has gone.
    void start(Done done);
    void pause(Done done);
    void resume(Done done);
    // Makes a snapshot of the paused machine: the file `path`.
    void snapshot(std::string path, Done done);
    // `taken`: how many bytes had room.
    void console_input(std::string input, std::function<void(Result<size_t>)> taken);
    // A stream to `port` of the guest: the host's end is a stream socket that becomes the caller's.
    void connect(uint32_t port, std::function<void(Result<Fd>)> connected);
    // The guest ends; ended() is called.
    void stop();

    // From any thread.
    uint64_t exits() const { return exits_; }

  private:
    using Work = std::function<void()>;

    void main(EmbeddedConfig config, const Done& built);
    Result<void> build(EmbeddedConfig& config);
    std::vector<SlotDevice> create_devices(const EmbeddedConfig& config);
    Result<void> adopt(Result<std::unique_ptr<Machine>> machine);
    Result<void> watch();
    void post(Work work);
    void with_machine(std::function<Result<void>(Machine&)> action, Done done);
    void run_work();
    void tell_end();
    void finish();

    Events events_;
    std::mutex mutex_; // guards work_
    std::deque<Work> work_;
    EventFd work_ready_;
    std::atomic<bool> leaving_ = false;
    std::atomic<uint64_t> exits_ = 0;
    // What follows belongs to the device thread.
    std::unique_ptr<EventLoop> loop_;
    std::unique_ptr<ConsoleBuffer> console_;
    std::unique_ptr<Machine> machine_;
    virtio::VsockDevice* vsock_ = nullptr; // the machine's
    std::vector<Watch> watches_;
    Watch end_watch_;
    std::thread thread_;
};

} // namespace hrun::vmm
