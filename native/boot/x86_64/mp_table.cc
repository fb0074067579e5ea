// SPDX-License-Identifier: Apache-2.0
#include "boot/x86_64/mp_table.h"

#include <cstring>

namespace hrun::boot {

namespace {

constexpr uint32_t kLocalApic = 0xfee00000;
constexpr uint8_t kSpecRevision = 4; // 1.4
constexpr uint8_t kIsaBus = 0;
constexpr uint8_t kLocalApicVersion = 0x14;
constexpr uint8_t kIoApicVersion = 0x11;
constexpr uint8_t kAllLocalApics = 0xff;

enum EntryType : uint8_t {
    kProcessor = 0,
    kBus = 1,
    kIoApicEntry = 2,
    kIoInterrupt = 3,
    kLocalInterrupt = 4
};
enum InterruptType : uint8_t { kInt = 0, kNmi = 1, kExtInt = 3 };
enum ProcessorFlags : uint8_t { kEnabled = 1, kBootstrap = 2 };

struct FloatingPointer { // 4.1
    char signature[4];
    uint32_t table;
    uint8_t length; // in 16-byte units
    uint8_t revision;
    uint8_t checksum;
    uint8_t features[5];
};
static_assert(sizeof(FloatingPointer) == 16);

struct ConfigurationHeader { // 4.2
    char signature[4];
    uint16_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem[8];
    char product[12];
    uint32_t oem_table;
    uint16_t oem_length;
    uint16_t entries;
    uint32_t local_apic;
    uint16_t extended_length;
    uint8_t extended_checksum;
    uint8_t reserved;
};
static_assert(sizeof(ConfigurationHeader) == 44);

struct ProcessorEntry { // 4.3.1
    uint8_t type;
    uint8_t local_apic_id;
    uint8_t local_apic_version;
    uint8_t flags;
    uint32_t signature;
    uint32_t features;
    uint32_t reserved[2];
};
static_assert(sizeof(ProcessorEntry) == 20);

struct BusEntry { // 4.3.2
    uint8_t type;
    uint8_t id;
    char name[6];
};

struct IoApicConfigEntry { // 4.3.3
    uint8_t type;
    uint8_t id;
    uint8_t version;
    uint8_t enabled;
    uint32_t address;
};

struct InterruptEntry { // 4.3.4 and 4.3.5
    uint8_t type;
    uint8_t interrupt;
    uint16_t flags; // 0: as the bus has it, for ISA edge triggered and active high
    uint8_t source_bus;
    uint8_t source_irq;
    uint8_t target_id;
    uint8_t target_pin;
};
static_assert(sizeof(BusEntry) == 8 && sizeof(IoApicConfigEntry) == 8 && sizeof(InterruptEntry) == 8);

class Table {
  public:
    template <class T> void add(const T& entry) {
        const auto* bytes = reinterpret_cast<const std::byte*>(&entry);
        entries_.insert(entries_.end(), bytes, bytes + sizeof entry);
        ++count_;
    }
    const std::vector<std::byte>& entries() const { return entries_; }
    uint16_t count() const { return count_; }

  private:
    std::vector<std::byte> entries_;
    uint16_t count_ = 0;
};

// What makes the sum of all bytes zero.
uint8_t checksum(const std::byte* bytes, size_t size) {
    uint8_t sum = 0;
    for (size_t i = 0; i < size; ++i)
        sum = static_cast<uint8_t>(sum + std::to_integer<uint8_t>(bytes[i]));
    return static_cast<uint8_t>(-sum);
}

void add_processors(Table& table, uint32_t count) {
    for (uint32_t id = 0; id < count; ++id) {
        const uint8_t flags = static_cast<uint8_t>(kEnabled | (id == 0 ? kBootstrap : 0));
        table.add(ProcessorEntry{kProcessor, static_cast<uint8_t>(id), kLocalApicVersion, flags, 0, 0, {}});
    }
}

void add_io_apics(Table& table, const MpTableConfig& config) {
    auto id = static_cast<uint8_t>(config.vcpus);
    for (const IoApic& io_apic : config.io_apics)
        table.add(IoApicConfigEntry{kIoApicEntry, id++, kIoApicVersion, kEnabled, io_apic.address});
}

void add_interrupts(Table& table, const MpTableConfig& config) {
    uint8_t irq = 0;
    auto id = static_cast<uint8_t>(config.vcpus);
    for (const IoApic& io_apic : config.io_apics) {
        for (uint8_t pin = 0; pin < io_apic.pins; ++pin, ++irq) {
            if (irq != 0 && irq == config.timer_pin) // taken by interrupt 0
                continue;
            const uint8_t target = irq == 0 ? config.timer_pin : pin;
            table.add(InterruptEntry{kIoInterrupt, kInt, 0, kIsaBus, irq, id, target});
        }
        ++id;
    }
    table.add(InterruptEntry{kLocalInterrupt, kExtInt, 0, kIsaBus, 0, 0, 0});
    table.add(InterruptEntry{kLocalInterrupt, kNmi, 0, kIsaBus, 0, kAllLocalApics, 1});
}

} // namespace

std::vector<std::byte> mp_table(const MpTableConfig& config, uint64_t address) {
    Table table;
    add_processors(table, config.vcpus);
    table.add(BusEntry{kBus, kIsaBus, {'I', 'S', 'A', ' ', ' ', ' '}});
    add_io_apics(table, config);
    add_interrupts(table, config);

    std::vector<std::byte> out(kMpPointerOffset + sizeof(FloatingPointer));
    ConfigurationHeader header{{'P', 'C', 'M', 'P'},
                               0,
                               kSpecRevision,
                               0,
                               {'H', 'R', 'U', 'N', ' ', ' ', ' ', ' '},
                               {'M', 'I', 'C', 'R', 'O', 'V', 'M', ' ', ' ', ' ', ' ', ' '},
                               0,
                               0,
                               table.count(),
                               kLocalApic,
                               0,
                               0,
                               0};
    header.length = static_cast<uint16_t>(sizeof header + table.entries().size());
    memcpy(out.data(), &header, sizeof header);
    memcpy(out.data() + sizeof header, table.entries().data(), table.entries().size());
    header.checksum = checksum(out.data(), header.length);
    memcpy(out.data(), &header, sizeof header);

    FloatingPointer pointer{{'_', 'M', 'P', '_'}, static_cast<uint32_t>(address), 1, kSpecRevision, 0, {}};
    pointer.checksum = checksum(reinterpret_cast<const std::byte*>(&pointer), sizeof pointer);
    memcpy(out.data() + kMpPointerOffset, &pointer, sizeof pointer);
    return out;
}

} // namespace hrun::boot
