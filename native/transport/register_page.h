// SPDX-License-Identifier: Apache-2.0
// The registers from InterruptStatus on, and the configuration space, as the driver reads them: a page that the guest is
// shown as read-only memory, so that its reads are loads. It can never write here; writes to these addresses are exits.
//
// Words are stored whole. Fields of the configuration space that change together are not: whoever reads half of a change
// is told of it afterwards (ConfigGeneration, interrupt), for the interrupt comes last.
#pragma once

#include <linux/virtio_mmio.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hrun::transport {

class RegisterPage {
  public:
    static constexpr size_t kSize = 4096;
    static constexpr uint64_t kStart = VIRTIO_MMIO_INTERRUPT_STATUS; // of the page, as an offset of registers
    static constexpr size_t kConfigSize = 256;                       // more than any device has

    RegisterPage();

    std::byte* data() { return reinterpret_cast<std::byte*>(words_.data()); }

    // `offset` is a register's, kStart and up.
    uint32_t get(uint64_t offset) const { return word(offset).load(); }
    void set(uint64_t offset, uint32_t value) { word(offset).store(value); }
    void add_bits(uint64_t offset, uint32_t bits) { word(offset).fetch_or(bits); }
    void remove_bits(uint64_t offset, uint32_t bits) { word(offset).fetch_and(~bits); }
    void set_config(const std::array<std::byte, kConfigSize>& bytes);
    // What an instruction would read that KVM does not carry out on the page itself. Zeroes behind its end.
    void read(uint64_t offset, std::span<std::byte> data) const;

  private:
    using Word = std::atomic<uint32_t>;
    static_assert(sizeof(Word) == sizeof(uint32_t) && Word::is_always_lock_free);

    Word& word(uint64_t offset) { return words_[(offset - kStart) / sizeof(Word)]; }
    const Word& word(uint64_t offset) const { return words_[(offset - kStart) / sizeof(Word)]; }

    alignas(kSize) std::array<Word, kSize / sizeof(Word)> words_{};
};

} // namespace hrun::transport
