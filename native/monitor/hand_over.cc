// SPDX-License-Identifier: Apache-2.0
#include "monitor/hand_over.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/passed_descriptors.h"

namespace hrun::monitor {

namespace {

// What the first message begins with; the path is behind it. The others are one byte each, for the descriptors that come along.
struct Header {
    uint32_t disks;
    uint32_t nics;
};

} // namespace

Result<void> send_hand_over(int socket, HandOverRequest what) {
    std::vector<int> fds{what.control, what.client};
    for (const auto* list : {&what.disks, &what.nics})
        fds.insert(fds.end(), list->begin(), list->end());
    Header header{static_cast<uint32_t>(what.disks.size()), static_cast<uint32_t>(what.nics.size())};
    const std::array<iovec, 2> first{iovec{&header, sizeof header},
                                     iovec{what.path.data(), what.path.size()}};
    HRUN_TRY(send_passing(socket, first, {fds.data(), 2}, 0));
    char none = 0;
    const iovec rest{&none, sizeof none};
    for (size_t at = 2; at < fds.size(); at += kMostPassed)
        HRUN_TRY(
            send_passing(socket, {&rest, 1}, {fds.data() + at, std::min(kMostPassed, fds.size() - at)}, 0));
    return {};
}

Result<bool> HandOverReader::receive(int socket) {
    std::array<std::byte, sizeof(Header) + PATH_MAX> bytes;
    const Received received = receive_passed(socket, bytes, kMostPassed, fds_);
    if (received.count <= 0)
        return received.count == 0 ? Error{ECONNRESET, "receive the container"}
                                   : Error::last("receive the container");
    if (!std::exchange(begun_, true)) {
        Header header;
        if (static_cast<size_t>(received.count) < sizeof header)
            return Error{EPROTO, "receive the container"};
        std::memcpy(&header, bytes.data(), sizeof header);
        disks_ = header.disks;
        nics_ = header.nics;
        path_.assign(reinterpret_cast<const char*>(bytes.data()) + sizeof header,
                     static_cast<size_t>(received.count) - sizeof header);
    }
    if (received.cut || fds_.size() > 2 + disks_ + nics_)
        return Error{EPROTO, "receive the container's files"};
    return fds_.size() == 2 + disks_ + nics_;
}

HandOver HandOverReader::take() {
    HandOver what{std::move(path_), std::move(fds_[0]), std::move(fds_[1]), {}, {}};
    for (size_t i = 2; i < fds_.size(); ++i)
        (i < 2 + disks_ ? what.disks : what.nics).push_back(std::move(fds_[i]));
    return what;
}

} // namespace hrun::monitor
