/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio.h"

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

uint16_t virtio_add(struct virtio_queue* queue, const struct virtio_buffer* buffers, unsigned count) {
    const uint16_t mask = queue->size - 1;
    const uint16_t head = queue->next_free;
    for (unsigned i = 0; i < count; ++i) {
        struct virtio_descriptor* descriptor = &queue->descriptors[queue->next_free];
        queue->next_free = (queue->next_free + 1) & mask;
        descriptor->address = (uintptr_t)buffers[i].data;
        descriptor->length = buffers[i].length;
        descriptor->flags =
            (buffers[i].device_writes ? VIRTIO_DESC_WRITE : 0) | (i + 1 < count ? VIRTIO_DESC_NEXT : 0);
        descriptor->next = queue->next_free;
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

uint32_t virtio_take(struct virtio_queue* queue, uint32_t* head) {
    while (!virtio_has_used(queue))
        __asm__ volatile("pause" : : : "memory");
    const uint16_t at = queue->seen++ & (queue->size - 1);
    if (head)
        *head = queue->used->ring[at].id;
    return queue->used->ring[at].length;
}

void virtio_interrupt(unsigned slot, uint8_t vector, interrupt_handler handler) {
    on_interrupt(vector, handler);
    ioapic_route(VIRTIO_FIRST_LINE + slot, vector, apic_id());
}

uint32_t virtio_acknowledge(unsigned slot) {
    const uint32_t base = virtio_base(slot);
    const uint32_t status = read32(base + VIRTIO_INTERRUPT_STATUS);
    write32(base + VIRTIO_INTERRUPT_ACK, status);
    apic_eoi();
    return status;
}
