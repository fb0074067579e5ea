/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio.h"

struct virtio_slots virtio_slots = {VIRTIO_BASE, VIRTIO_SLOT_SIZE, VIRTIO_FIRST_LINE};

static uint64_t read_features(uint32_t base) {
    write32(base + VIRTIO_DEVICE_FEATURES_SEL, 1);
    const uint64_t high = read32(base + VIRTIO_DEVICE_FEATURES);
    write32(base + VIRTIO_DEVICE_FEATURES_SEL, 0);
    return high << 32 | read32(base + VIRTIO_DEVICE_FEATURES);
}

static void write_features(uint32_t base, uint64_t features) {
    write32(base + VIRTIO_DRIVER_FEATURES_SEL, 0);
    write32(base + VIRTIO_DRIVER_FEATURES, (uint32_t)features);
    write32(base + VIRTIO_DRIVER_FEATURES_SEL, 1);
    write32(base + VIRTIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
}

#define COMMAND_LINE_POINTER 0x228 /* boot_params.hdr.cmd_line_ptr */

uint64_t virtio_ring_features(const uint8_t* zero_page) {
    const char* line = (const char*)(uintptr_t)read32((uintptr_t)zero_page + COMMAND_LINE_POINTER);
    return memcmp(line, "rings", 5) == 0 ? VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX : 0;
}

uint64_t virtio_negotiate(unsigned slot, uint32_t device_id, uint64_t wanted) {
    const uint32_t base = virtio_base(slot);
    CHECK(read32(base + VIRTIO_MAGIC) == 0x74726976);
    CHECK(read32(base + VIRTIO_VERSION) == 2);
    CHECK(read32(base + VIRTIO_DEVICE_ID) == device_id);
    write32(base + VIRTIO_STATUS, 0);
    CHECK(read32(base + VIRTIO_STATUS) == 0);
    write32(base + VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    const uint64_t features = read_features(base) & (wanted | VIRTIO_F_VERSION_1);
    write_features(base, features);
    write32(base + VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    CHECK(read32(base + VIRTIO_STATUS) & VIRTIO_FEATURES_OK);
    return features;
}

static void write_address(uint32_t where, const volatile void* address) {
    write32(where, (uint32_t)(uintptr_t)address);
    write32(where + 4, 0);
}

void virtio_setup_queue(struct virtio_queue* queue, unsigned slot, uint16_t number, uint16_t size) {
    const uint32_t base = virtio_base(slot);
    uint8_t* rings = allocate_pages(3);
    *queue = (struct virtio_queue){.base = base, .number = number, .size = size};
    queue->descriptors = (void*)rings;
    queue->avail = (void*)(rings + 4096);
    queue->used = (void*)(rings + 8192);
    write32(base + VIRTIO_QUEUE_SEL, number);
    CHECK(read32(base + VIRTIO_QUEUE_NUM_MAX) >= size);
    CHECK(read32(base + VIRTIO_QUEUE_READY) == 0);
    write32(base + VIRTIO_QUEUE_NUM, size);
    write_address(base + VIRTIO_QUEUE_DESC, queue->descriptors);
    write_address(base + VIRTIO_QUEUE_DRIVER, queue->avail);
    write_address(base + VIRTIO_QUEUE_DEVICE, queue->used);
    write32(base + VIRTIO_QUEUE_READY, 1);
    CHECK(read32(base + VIRTIO_QUEUE_READY) == 1);
}

void virtio_driver_ok(unsigned slot) {
    const uint32_t status = virtio_base(slot) + VIRTIO_STATUS;
    write32(status, read32(status) | VIRTIO_DRIVER_OK);
    CHECK(!(read32(status) & VIRTIO_NEEDS_RESET));
}

void virtio_use_features(struct virtio_queue* queue, uint64_t features) {
    const size_t bytes = queue->size * VIRTIO_INDIRECT_BUFFERS * sizeof *queue->indirect;
    if (features & VIRTIO_F_INDIRECT_DESC)
        queue->indirect = allocate_pages((bytes + 4095) / 4096);
    queue->event_idx = features & VIRTIO_F_EVENT_IDX;
}

static void describe(struct virtio_descriptor* descriptor, const struct virtio_buffer* buffer, bool last,
                     uint16_t next) {
    descriptor->address = (uintptr_t)buffer->data;
    descriptor->length = buffer->length;
    descriptor->flags = (buffer->device_writes ? VIRTIO_DESC_WRITE : 0) | (last ? 0 : VIRTIO_DESC_NEXT);
    descriptor->next = next;
}

static void describe_indirect(struct virtio_queue* queue, uint16_t head, const struct virtio_buffer* buffers,
                              unsigned count) {
    CHECK(count <= VIRTIO_INDIRECT_BUFFERS);
    struct virtio_descriptor* table = queue->indirect + head * VIRTIO_INDIRECT_BUFFERS;
    for (unsigned i = 0; i < count; ++i)
        describe(&table[i], &buffers[i], i + 1 == count, (uint16_t)(i + 1));
    queue->descriptors[head] = (struct virtio_descriptor){(uintptr_t)table, count * (uint32_t)sizeof *table,
                                                          VIRTIO_DESC_INDIRECT, 0};
}

uint16_t virtio_add(struct virtio_queue* queue, const struct virtio_buffer* buffers, unsigned count) {
    const uint16_t mask = queue->size - 1;
    const uint16_t head = queue->next_free;
    if (queue->indirect) {
        describe_indirect(queue, head, buffers, count);
        queue->next_free = (head + 1) & mask;
    }
    for (unsigned i = 0; i < count && !queue->indirect; ++i) {
        struct virtio_descriptor* descriptor = &queue->descriptors[queue->next_free];
        queue->next_free = (queue->next_free + 1) & mask;
        describe(descriptor, &buffers[i], i + 1 == count, queue->next_free);
    }
    queue->avail->ring[queue->avail->index & mask] = head;
    __asm__ volatile("" : : : "memory"); /* stores stay in order on x86 */
    queue->avail->index = (uint16_t)(queue->avail->index + 1);
    return head;
}

void virtio_notify(const struct virtio_queue* queue) {
    __asm__ volatile("mfence" : : : "memory");
    write32(queue->base + VIRTIO_QUEUE_NOTIFY, queue->number);
}

/* 2.7.10: did the index pass `event` on its way from `before` to `after`? */
static bool passed(uint16_t event, uint16_t after, uint16_t before) {
    return (uint16_t)(after - event - 1) < (uint16_t)(after - before);
}

bool virtio_notify_if_wanted(struct virtio_queue* queue) {
    const uint16_t before = queue->announced;
    queue->announced = queue->avail->index;
    __asm__ volatile("mfence" : : : "memory");
    const uint16_t avail_event = (uint16_t)queue->used->ring[queue->size].id; /* lies behind the ring */
    const bool wanted = queue->event_idx ? passed(avail_event, queue->announced, before)
                                         : !(queue->used->flags & VIRTIO_USED_NO_NOTIFY);
    if (wanted)
        write32(queue->base + VIRTIO_QUEUE_NOTIFY, queue->number);
    return wanted;
}

bool virtio_want_interrupt(struct virtio_queue* queue, uint16_t count) {
    queue->avail->ring[queue->size] = (uint16_t)(queue->seen + count - 1); /* used_event */
    __asm__ volatile("mfence" : : : "memory");
    return (uint16_t)(queue->used->index - queue->seen) < count;
}

uint32_t virtio_take(struct virtio_queue* queue, uint32_t* head) {
    while (!virtio_has_used(queue))
        __asm__ volatile("pause" : : : "memory");
    const uint16_t at = queue->seen++ & (queue->size - 1);
    if (head)
        *head = queue->used->ring[at].id;
    return queue->used->ring[at].length;
}

void* virtio_first_buffer(const struct virtio_queue* queue, uint32_t head) {
    const struct virtio_descriptor* descriptor = &queue->descriptors[head];
    if (descriptor->flags & VIRTIO_DESC_INDIRECT)
        descriptor = (const struct virtio_descriptor*)(uintptr_t)descriptor->address;
    return (void*)(uintptr_t)descriptor->address;
}

void virtio_interrupt(unsigned slot, uint8_t vector, interrupt_handler handler) {
    on_interrupt(vector, handler);
    ioapic_route(virtio_slots.first_line + slot, vector, apic_id());
}

uint32_t virtio_acknowledge(unsigned slot) {
    const uint32_t base = virtio_base(slot);
    const uint32_t status = read32(base + VIRTIO_INTERRUPT_STATUS);
    write32(base + VIRTIO_INTERRUPT_ACK, status);
    apic_eoi();
    return status;
}

/* hw/i386/microvm.c, with acpi=off. Called by pvh.S: whoever enters there is QEMU. */
void virtio_slots_of_microvm(void);
void virtio_slots_of_microvm(void) {
    virtio_slots = (struct virtio_slots){0xfeb00000u, 512, 5};
}
