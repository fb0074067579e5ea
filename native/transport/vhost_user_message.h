// SPDX-License-Identifier: Apache-2.0
// The vhost-user wire format (QEMU docs/interop/vhost-user.rst), of both sides: framing, limits, descriptors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace hrun::vhost_user {

enum Request : uint32_t { // VHOST_USER_*
    kGetFeatures = 1,
    kSetFeatures = 2,
    kSetOwner = 3,
    kResetOwner = 4,
    kSetMemTable = 5,
    kSetVringNum = 8,
    kSetVringAddr = 9,
    kSetVringBase = 10,
    kGetVringBase = 11,
    kSetVringKick = 12,
    kSetVringCall = 13,
    kSetVringErr = 14,
    kGetProtocolFeatures = 15,
    kSetProtocolFeatures = 16,
    kSetVringEnable = 18,
    kGetConfig = 24,
    kSetConfig = 25,
};

constexpr uint32_t kFlagVersion = 1;
constexpr uint32_t kFlagVersionMask = 3;
constexpr uint32_t kFlagReply = 4;
constexpr uint32_t kFlagNeedReply = 8;

constexpr uint64_t kFeatureProtocolFeatures = 1ull << 30; // VHOST_USER_F_PROTOCOL_FEATURES
constexpr uint64_t kProtocolReplyAck = 1ull << 3;
constexpr uint64_t kProtocolConfig = 1ull << 9;

constexpr uint64_t kVringIndexMask = 0xff; // of the u64 of SET_VRING_KICK, CALL and ERR
constexpr uint64_t kVringNoFd = 0x100;

constexpr size_t kMaxRegions = 8;
constexpr size_t kMaxConfig = 256;
constexpr size_t kMaxPayload = 512; // a memory table has 264 bytes, a configuration 268

struct Header {
    uint32_t request;
    uint32_t flags;
    uint32_t size; // of the payload
};

struct VringState {
    uint32_t index;
    uint32_t num;
};

struct VringAddress { // addresses in the front end's address space
    uint32_t index;
    uint32_t flags;
    uint64_t descriptor;
    uint64_t used;
    uint64_t available;
    uint64_t log;
};

struct MemoryRegion {
    uint64_t guest_address;
    uint64_t size;
    uint64_t user_address; // in the front end's address space
    uint64_t mmap_offset;
};

struct MemoryTable {
    uint32_t count;
    uint32_t padding;
    MemoryRegion regions[kMaxRegions];
};

struct Config {
    uint32_t offset;
    uint32_t size;
    uint32_t flags;
    std::byte data[kMaxConfig];
};

struct Message {
    Header header{};
    std::byte payload[kMaxPayload];
    std::vector<Fd> fds;

    // The payload as a T, if it is exactly that long.
    template <class T> std::optional<T> as() const {
        if (header.size != sizeof(T))
            return std::nullopt;
        T value;
        memcpy(&value, payload, sizeof value);
        return value;
    }
    bool needs_reply() const { return header.flags & kFlagNeedReply; }
};

// Who reads: a back end gets requests, a front end the answers to its own.
enum class Side { kBackEnd, kFrontEnd };

// Puts messages together from a non-blocking stream socket.
class MessageReader {
  public:
    explicit MessageReader(Side side = Side::kBackEnd) : side_(side) {}

    // The next whole message; nothing when the rest of it has not come yet. ECONNRESET at the end of the stream,
    // EPROTO when the peer breaks the format.
    Result<std::optional<Message>> read(int socket);

  private:
    Result<size_t> receive(int socket, std::span<std::byte> to);
    bool acceptable(const Header& header) const;

    Side side_;
    Message message_;
    size_t have_ = 0; // bytes of header and payload so far
};

// Sends a message with `fds`, of which there are at most kMaxRegions. A socket that does not take all of it is an error.
Result<void> send_message(int socket, const Header& header, std::span<const std::byte> payload,
                          std::span<const int> fds = {});

// Sends the answer to `request`. The peer waits for it, so a full socket is an error.
Result<void> send_reply(int socket, uint32_t request, std::span<const std::byte> payload);

} // namespace hrun::vhost_user
