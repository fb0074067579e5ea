/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse.h"

#define FILE_SYSTEM 26
#define URGENT 0 /* queues */
#define REQUESTS 1
#define TAG "hrun"
#define PAGE 4096u
#define READ_WRITE 2 /* O_RDWR */
#define INIT_FLAGS (FUSE_POSIX_ACL | FUSE_DONT_MASK | FUSE_SETXATTR_EXT | FUSE_SUBMOUNTS)

static unsigned device_slot;
static struct virtio_queue urgent, queue;
static struct fuse_in_header in_header;
static struct fuse_out_header out_header;
static uint8_t* body; /* of the answer: a page */

struct part {
    const void* data;
    uint32_t length;
};

static struct virtio_buffer readable(struct part part) {
    return (struct virtio_buffer){(void*)(uintptr_t)part.data, part.length, false};
}

/* Returns the size of the answer's body. */
static uint32_t call(uint32_t opcode, uint64_t node, struct part argument, struct part data) {
    struct virtio_buffer buffers[5] = {{&in_header, sizeof in_header, false}};
    unsigned count = 1;
    in_header = (struct fuse_in_header){.len = (uint32_t)sizeof in_header + argument.length + data.length,
                                        .opcode = opcode,
                                        .unique = in_header.unique + 2,
                                        .nodeid = node};
    if (argument.length > 0)
        buffers[count++] = readable(argument);
    if (data.length > 0)
        buffers[count++] = readable(data);
    buffers[count++] = (struct virtio_buffer){&out_header, sizeof out_header, true};
    buffers[count++] = (struct virtio_buffer){body, PAGE, true};
    virtio_add(&queue, buffers, count);
    virtio_notify(&queue);
    const uint32_t written = virtio_take(&queue, NULL);
    CHECK(out_header.unique == in_header.unique && out_header.error == 0);
    CHECK(written == out_header.len && written >= sizeof out_header);
    return written - (uint32_t)sizeof out_header;
}

void fuse_init(unsigned slot) {
    device_slot = slot;
    if (!body)
        body = allocate_pages(1);
    virtio_negotiate(slot, FILE_SYSTEM, 0);
    const uint32_t config = virtio_base(slot) + VIRTIO_CONFIG;
    CHECK(memcmp((const void*)(uintptr_t)config, TAG, sizeof TAG) == 0);
    CHECK(read32(config + 36) == 1); /* num_request_queues */
    virtio_setup_queue(&urgent, slot, URGENT, 16);
    virtio_setup_queue(&queue, slot, REQUESTS, 128);
    virtio_driver_ok(slot);
    const struct fuse_init_in init = {
        .major = FUSE_KERNEL_VERSION, .minor = 33, .max_readahead = PAGE, .flags = INIT_FLAGS};
    const struct part argument = {&init, (uint32_t)offsetof(struct fuse_init_in, flags) + 4};
    CHECK(call(FUSE_INIT, 0, argument, (struct part){0}) >= sizeof(uint32_t));
    CHECK(((const struct fuse_init_out*)body)->major == FUSE_KERNEL_VERSION);
}

void fuse_destroy(void) {
    CHECK(call(FUSE_DESTROY, 0, (struct part){0}, (struct part){0}) == 0);
    write32(virtio_base(device_slot) + VIRTIO_STATUS, 0);
}

uint64_t fuse_look_up(uint64_t parent, const char* name) {
    uint32_t length = 0;
    while (name[length])
        ++length;
    const uint32_t size = call(FUSE_LOOKUP, parent, (struct part){name, length + 1}, (struct part){0});
    CHECK(size == sizeof(struct fuse_entry_out));
    return ((const struct fuse_entry_out*)body)->nodeid;
}

struct fuse_file fuse_open(uint64_t node) {
    const struct fuse_open_in open = {.flags = READ_WRITE};
    CHECK(call(FUSE_OPEN, node, (struct part){&open, sizeof open}, (struct part){0}) ==
          sizeof(struct fuse_open_out));
    return (struct fuse_file){node, ((const struct fuse_open_out*)body)->fh};
}

uint32_t fuse_read(const struct fuse_file* file, const char** data) {
    const struct fuse_read_in in = {.fh = file->handle, .size = PAGE};
    *data = (const char*)body;
    return call(FUSE_READ, file->node, (struct part){&in, sizeof in}, (struct part){0});
}

void fuse_write(const struct fuse_file* file, const char* data, uint32_t length) {
    const struct fuse_write_in in = {.fh = file->handle, .size = length};
    CHECK(call(FUSE_WRITE, file->node, (struct part){&in, sizeof in}, (struct part){data, length}) ==
          sizeof(struct fuse_write_out));
    CHECK(((const struct fuse_write_out*)body)->size == length);
}
