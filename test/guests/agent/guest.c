/* SPDX-License-Identifier: Apache-2.0
 * An agent for test/kvm/monitor.test.ts that speaks initrd/protocol.h, and runs no process but what the first word of START
 * asks for: each is one way in which a container or its machine can end. */
#include "protocol.h"
#include "template.h"

#include "../lib/fuse.h"
#include "../lib/vsock.h"

#define VSOCK_SLOT 0
#define DISK_SLOT 2
#define SHARE_SLOT 18
#define BLOCK 2
#define SECTOR 512u

static struct vsock_packet out;
static uint32_t peer_port;
static uint8_t inbox[HRUN_MAX_PAYLOAD + 65536];
static size_t inbox_size;

static void send(uint8_t type, uint8_t stream, const void* payload, uint32_t length) {
    const struct hrun_frame_header header = {length, type, stream, 0};
    memcpy(out.data, &header, sizeof header);
    memcpy(out.data + sizeof header, payload, length);
    out.header.source_port = peer_port;
    CHECK(vsock_may_send(sizeof header + length));
    vsock_answer(&out, VSOCK_RW, sizeof header + length);
}

static void end_process(uint32_t code, uint32_t signal) {
    const struct hrun_exit exit = {code, signal, 0};
    send(HRUN_DATA, HRUN_STDOUT, NULL, 0);
    send(HRUN_DATA, HRUN_STDERR, NULL, 0);
    send(HRUN_EXIT, 0, &exit, sizeof exit);
}

static void say_and_exit(void) {
    static const char kWords[] = "hello from a bare-metal agent\n";
    send(HRUN_DATA, HRUN_STDOUT, kWords, sizeof kWords - 1);
    end_process(7, 0);
}

/* Writes the disk from its beginning to its end. */
static void fill_disk(void) {
    static struct virtio_queue queue;
    static struct {
        uint32_t type, reserved;
        uint64_t sector;
        uint8_t status;
    } request;
    const uint32_t size = 1 << 20;
    uint8_t* data = allocate_pages(size / 4096);
    virtio_negotiate(DISK_SLOT, BLOCK, 0);
    virtio_setup_queue(&queue, DISK_SLOT, 0, 8);
    virtio_driver_ok(DISK_SLOT);
    const uint64_t sectors = read32(virtio_base(DISK_SLOT) + VIRTIO_CONFIG);
    for (request.sector = 0; request.sector < sectors; request.sector += size / SECTOR) {
        request.type = 1;
        virtio_add(
            &queue,
            (struct virtio_buffer[]){{&request, 16, false}, {data, size, false}, {&request.status, 1, true}},
            3);
        virtio_notify(&queue);
        virtio_take(&queue, NULL);
        CHECK(request.status == 0);
    }
    end_process(0, 0);
}

/* Says what is in a file of the first shared directory. */
static void read_share(void) {
    fuse_init(SHARE_SLOT);
    const struct fuse_file file = fuse_open(fuse_look_up(fuse_look_up(FUSE_ROOT, "0"), "greeting"));
    const char* data;
    const uint32_t length = fuse_read(&file, &data);
    send(HRUN_DATA, HRUN_STDOUT, data, length);
    end_process(0, 0);
}

static void triple_fault(void) {
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) nothing = {0, 0};
    __asm__ volatile("lidt %0; ud2" : : "m"(nothing));
}

static void start(const char* word, uint32_t length) {
    const uint32_t pid = 1;
    send(HRUN_STARTED, 0, &pid, sizeof pid);
    if (length == 4 && memcmp(word, "exit", 4) == 0)
        say_and_exit();
    else if (length == 4 && memcmp(word, "fill", 4) == 0)
        fill_disk();
    else if (length == 4 && memcmp(word, "read", 4) == 0)
        read_share();
    else if (length == 5 && memcmp(word, "panic", 5) == 0)
        print("Kernel panic - not syncing: asked for\n");
    else if (length == 5 && memcmp(word, "fault", 5) == 0)
        triple_fault();
    else if (length == 3 && memcmp(word, "off", 3) == 0)
        power_off();
    else
        CHECK(length == 4 && memcmp(word, "wait", 4) == 0);
}

static void handle_frame(const struct hrun_frame_header* header, const uint8_t* payload) {
    const struct hrun_hello hello = {HRUN_PROTOCOL_MAGIC, HRUN_PROTOCOL_VERSION, 0};
    switch (header->type) {
    case HRUN_HELLO:
        CHECK(header->length == sizeof hello && memcmp(payload, &hello, sizeof hello) == 0);
        return send(HRUN_HELLO, 0, &hello, sizeof hello);
    case HRUN_CONFIGURE:
        return send(HRUN_CONFIGURED, 0, NULL, 0);
    case HRUN_START: {
        const struct hrun_tlv* first = (const void*)payload;
        CHECK(first->tag == HRUN_START_ARG);
        return start((const char*)(first + 1), first->length);
    }
    case HRUN_SIGNAL: {
        const uint32_t signal = *(const uint32_t*)payload;
        return end_process(128 + signal, signal);
    }
    case HRUN_SHUTDOWN:
        return send(HRUN_SHUTDOWN_DONE, 0, NULL, 0);
    }
}

static void take_frames(void) {
    size_t at = 0;
    while (inbox_size - at >= sizeof(struct hrun_frame_header)) {
        const struct hrun_frame_header* header = (const void*)(inbox + at);
        if (inbox_size - at < sizeof *header + header->length)
            break;
        at += sizeof *header + header->length;
        handle_frame(header, (const uint8_t*)(header + 1));
    }
    inbox_size -= at;
    memcpy(inbox, inbox + at, inbox_size);
}

static void handle(struct vsock_packet* packet) {
    const uint32_t length = packet->header.length;
    switch (packet->header.operation) {
    case VSOCK_REQUEST:
        peer_port = packet->header.source_port;
        vsock_answer(packet, VSOCK_RESPONSE, 0);
        break;
    case VSOCK_CREDIT_REQUEST:
        vsock_answer(packet, VSOCK_CREDIT_UPDATE, 0);
        break;
    case VSOCK_RW:
        CHECK(inbox_size + length <= sizeof inbox);
        memcpy(inbox + inbox_size, packet->data, length);
        inbox_size += length;
        vsock_forward(length);
        take_frames();
        break;
    }
    vsock_post(packet);
}

/* Where the boot protocol has it (linux/boot_params.h, cmd_line_ptr). */
static bool is_template(const uint8_t* zero_page) {
    static const char kWord[] = " -- --template 0";
    const char* line = (const char*)(uintptr_t) * (const uint32_t*)(zero_page + 0x228);
    uint32_t length = 0;
    while (line[length])
        length++;
    return length >= sizeof kWord - 1 &&
           memcmp(line + length - (sizeof kWord - 1), kWord, sizeof kWord - 1) == 0;
}

/* Once it says so it stands still, until a copy of it has a device. */
static void be_template(void) {
    print(TEMPLATE_READY "\n");
    while (read32(virtio_base(VSOCK_SLOT) + VIRTIO_DEVICE_ID) == 0)
        __asm__ volatile("pause");
}

void guest_main(const uint8_t* zero_page) {
    interrupts_init();
    apic_init();
    if (is_template(zero_page))
        be_template();
    vsock_init(VSOCK_SLOT, HRUN_AGENT_PORT, 0);
    for (;;)
        handle(vsock_receive());
}
