/* SPDX-License-Identifier: Apache-2.0
 * A guest that is saved in the middle of something and goes on in another machine. The first letter of the command line says in the
 * middle of what. "saved here" on the console is where the host may save it. */
#include "../lib/virtio.h"

#define COMMAND_LINE_POINTER 0x228 /* boot_params.hdr.cmd_line_ptr */
#define COUNTERS 0x80000           /* the host looks at them */
#define PATTERN 0x1122334455667788ull
#define LSTAR 0xc0000082u
#define PAT 0x277u
#define TIMER_VECTOR 40
#define APIC_IRR 0xfee00200u /* of vectors 0 to 31; 16 bytes a register */

static volatile uint32_t ticked, done;

static void tick(void) {
    apic_eoi();
    ticked = 1;
}

static bool console_has_input(void) {
    return inb(0x3fd) & 1;
}

/* ---- registers: two processors that count, with something in every kind of register */

static void count(void) {
    volatile uint64_t* counter = (volatile uint64_t*)(uintptr_t)COUNTERS + apic_id();
    while (!done)
        ++*counter;
}

static void fill_registers(void) {
    static const uint64_t pattern[2] = {PATTERN, ~PATTERN};
    __asm__ volatile("movdqu %0, %%xmm7" : : "m"(pattern));
    __asm__ volatile("mov %0, %%dr0" : : "r"(PATTERN & 0xffff));
    wrmsr(LSTAR, PATTERN & 0xffffffff);
    wrmsr(PAT, 0x0007010600070106ull);
}

static void check_registers(void) {
    uint64_t xmm7[2], dr0;
    __asm__ volatile("movdqu %%xmm7, %0" : "=m"(xmm7));
    __asm__ volatile("mov %%dr0, %0" : "=r"(dr0));
    CHECK(xmm7[0] == PATTERN && xmm7[1] == ~PATTERN);
    CHECK(dr0 == (PATTERN & 0xffff));
    CHECK(rdmsr(LSTAR) == (PATTERN & 0xffffffff));
    CHECK(rdmsr(PAT) == 0x0007010600070106ull);
}

static void hold_registers(void) {
    start_processor(1, count);
    __asm__ volatile("mov %%cr0, %%rax; and $~0xc, %%rax; mov %%rax, %%cr0; mov %%cr4, %%rax; or $0x600, "
                     "%%rax; mov %%rax, %%cr4"
                     :
                     :
                     : "rax"); /* SSE */
    fill_registers();
    apic_timer(TIMER_VECTOR, 300000000); /* 0.3 s */
    const uint64_t before = rdtsc();
    print("saved here\n");
    volatile uint64_t* counter = (volatile uint64_t*)(uintptr_t)COUNTERS;
    while (!console_has_input())
        ++*counter;
    check_registers();
    CHECK(rdtsc() > before);
    const uint64_t counted = counter[1];
    while (counter[1] == counted) /* the other one goes on too */
        __asm__ volatile("pause");
    done = 1;
    wait_for(&ticked);
}

/* ---- interrupts: one that is pending, and a processor that sleeps */

static bool pending(void) {
    return read32(APIC_IRR + TIMER_VECTOR / 32 * 16) & 1u << TIMER_VECTOR % 32;
}

static void hold_pending(void) {
    apic_timer(TIMER_VECTOR, 1000);
    while (!pending())
        __asm__ volatile("pause");
    print("saved here\n");
    while (!console_has_input())
        __asm__ volatile("pause");
    CHECK(!ticked && pending());
    wait_for(&ticked);
}

static void sleep(void) {
    print("saved here\n");
    apic_timer(TIMER_VECTOR, 200000000);
    wait_for(&ticked);
}

/* ---- blk: writes a disk, eight requests in flight at any time, then reads it back */

#define BLOCK 2
#define BLOCKS 2048u
#define IN_FLIGHT 8

static struct request {
    uint32_t type, reserved;
    uint64_t sector;
    uint32_t data[1024];
    uint8_t status;
} requests[IN_FLIGHT];
static struct virtio_queue queue;

static void put(struct request* request, uint32_t type, uint32_t block) {
    request->type = type;
    request->sector = block * 8;
    request->status = 0xee;
    virtio_add(&queue,
               (struct virtio_buffer[]){
                   {request, 16, false}, {request->data, 4096, type == 0}, {&request->status, 1, true}},
               3);
    virtio_notify_if_wanted(&queue);
}

/* The request whose answer comes next; descriptors are handed out three a request. */
static struct request* take(void) {
    uint32_t head;
    virtio_take(&queue, &head);
    struct request* request = virtio_first_buffer(&queue, head);
    CHECK(request->status == 0);
    return request;
}

static void work_on_disk(void) {
    virtio_negotiate(0, BLOCK, 0);
    virtio_setup_queue(&queue, 0, 0, 256); /* those in flight never meet, whichever ends first */
    virtio_driver_ok(0);
    for (uint32_t block = 0; block < BLOCKS + IN_FLIGHT; ++block) {
        struct request* request = block < IN_FLIGHT ? &requests[block] : take();
        if (block >= BLOCKS)
            continue;
        for (unsigned i = 0; i < 1024; i += 256)
            request->data[i] = block * 7 + i;
        put(request, 1, block);
        if (block % 64 == 0)
            print("saved here %u\n", block / 64);
    }
    for (uint32_t block = 0; block < BLOCKS; block += 16) {
        put(&requests[0], 0, block);
        take();
        for (unsigned i = 0; i < 1024; i += 256)
            CHECK(requests[0].data[i] == block * 7 + i);
    }
}

/* ---- vsock: a guest that is told that its connections are gone, and takes a new one */

#define VSOCK 19

static struct virtio_queue rx, tx, events;
static struct vsock_header {
    uint64_t source_cid, target_cid;
    uint32_t source_port, target_port, length;
    uint16_t type, operation;
    uint32_t flags, buffer_size, forwarded;
    uint8_t data[64];
} __attribute__((packed)) packets[4];

static struct vsock_header* receive(uint16_t operation) {
    for (;;) {
        uint32_t head;
        virtio_take(&rx, &head);
        struct vsock_header* packet = virtio_first_buffer(&rx, head);
        if (packet->operation == operation)
            return packet;
        virtio_add(&rx, (struct virtio_buffer[]){{packet, sizeof *packet, true}}, 1);
        virtio_notify(&rx);
    }
}

static void accept_connection(void) {
    struct vsock_header* packet = receive(1);
    static struct vsock_header response;
    response = (struct vsock_header){.source_cid = packet->target_cid,
                                     .target_cid = 2,
                                     .source_port = packet->target_port,
                                     .target_port = packet->source_port,
                                     .type = 1,
                                     .operation = 2,
                                     .buffer_size = 64};
    print("host port %x\n", packet->source_port);
    virtio_add(&tx, (struct virtio_buffer[]){{&response, 44, false}}, 1);
    virtio_notify(&tx);
    virtio_take(&tx, NULL);
}

static void lose_connection(void) {
    static uint32_t event[2] = {~0u, ~0u};
    virtio_negotiate(0, VSOCK, 0);
    virtio_setup_queue(&rx, 0, 0, 4);
    virtio_setup_queue(&tx, 0, 1, 4);
    virtio_setup_queue(&events, 0, 2, 2);
    virtio_driver_ok(0);
    for (unsigned i = 0; i < ARRAY_SIZE(packets); ++i)
        virtio_add(&rx, (struct virtio_buffer[]){{&packets[i], sizeof packets[i], true}}, 1);
    virtio_notify(&rx);
    virtio_add(&events, (struct virtio_buffer[]){{event, sizeof event, true}}, 1);
    accept_connection();
    print("saved here\n");
    CHECK(virtio_take(&events, NULL) == 4 && event[0] == 0);
    CHECK(!virtio_has_used(&rx)); /* nothing comes before this is noticed */
    print("connections are gone\n");
    virtio_add(&events, (struct virtio_buffer[]){{event, sizeof event, true}}, 1);
    accept_connection();
    struct vsock_header* packet = receive(5);
    CHECK(packet->length == 4 && memcmp(packet->data, "ping", 4) == 0);
}

/* ---- clones: writes what it is told all over its memory, again and again */

#define PAGES 256u

static void be_somebody(void) {
    volatile uint64_t* memory = allocate_pages(PAGES);
    for (unsigned i = 0; i < PAGES; ++i)
        memory[i * 512] = 'x';
    print("memory at %lx\nsaved here\n", (uint64_t)(uintptr_t)memory);
    const uint64_t me = (uint8_t)read_console();
    for (unsigned i = 0; i < PAGES; ++i) {
        CHECK(memory[i * 512] == 'x');
        memory[i * 512] = me;
    }
    print("I am %c\n", (char)me);
    read_console();
    for (unsigned i = 0; i < PAGES; ++i)
        CHECK(memory[i * 512] == me);
}

void guest_main(const uint8_t* zero_page) {
    interrupts_init();
    apic_init();
    on_interrupt(TIMER_VECTOR, tick);
    switch (*(const char*)(uintptr_t)read32((uintptr_t)zero_page + COMMAND_LINE_POINTER)) {
    case 'r':
        hold_registers();
        break;
    case 'p':
        hold_pending();
        break;
    case 's':
        sleep();
        break;
    case 'b':
        work_on_disk();
        break;
    case 'v':
        lose_connection();
        break;
    case 'c':
        be_somebody();
        break;
    }
    print("ok\n");
}
