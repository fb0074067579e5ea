// SPDX-License-Identifier: Apache-2.0
// The QEMU Machine Protocol: what QEMU says about itself while the guest runs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/fd.h"
#include "base/result.h"

namespace hrun::qemu {

// An event worth knowing; others are dropped.
struct Event {
    enum class Kind {
        kDiskError, // the VM is paused: `detail` is the block node, `no_space` when the host's disk is full
        kShutdown,  // `detail` is QEMU's reason: guest-shutdown, guest-reset, host-signal, ...
        kCompleted, // after save() or restore()
        kRefused,   // a command failed: `detail` says why
    };
    Kind kind;
    std::string detail;
    bool no_space = false;
};

class Qmp {
  public:
    using Handler = std::function<void(const Event&)>;

    Qmp(Fd socket, Handler handler) : socket_(std::move(socket)), handler_(std::move(handler)) {}

    // Enters command mode and begins to report events.
    Result<void> start(EventLoop& loop);
    // The same with a QEMU that is in command mode already.
    Result<void> resume(EventLoop& loop);
    // Of a machine that waits for its state (Role::kCopy): takes it from the file `state`, and runs.
    Result<void> restore(int state) { return migrate("migrate-incoming", state); }
    // Writes the machine's state, without its memory, to the file `state`. It stands still afterwards.
    Result<void> save(int state) { return migrate("migrate", state); }
    // Commands that answer nothing but that they are done.
    Result<void> carry_out(const std::vector<std::string>& commands);
    using Done = std::function<void(Result<void>)>;
    // The same, and `done` is called once all of them were answered, with what QEMU said first against one. `fds` go along with the
    // first of them, one each. A QEMU that ends does not answer.
    Result<void> ask(const std::vector<std::string>& commands, Done done, std::span<const int> fds = {});
    // Reads what is left after QEMU's end.
    void drain() { receive(); }

  private:
    static constexpr size_t kMaxLine = 64 * 1024; // QEMU could be run by its guest: no line grows further

    Result<void> send_command(const std::string& command, int fd = -1);
    Result<void> migrate(const char* command, int state);
    void receive();
    void handle_line(const std::string& line);
    bool take_answer(uint64_t question, const std::string& refusal);

    struct Question {
        size_t unanswered;
        Done done;
        std::string refusal;
    };

    Fd socket_;
    Handler handler_;
    Watch watch_;
    std::string line_;
    uint64_t last_question_ = 0;
    std::map<uint64_t, Question> questions_;
};

} // namespace hrun::qemu
