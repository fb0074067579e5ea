/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules as a BPF program of type BPF_PROG_TYPE_CGROUP_DEVICE, which the kernel asks at each open and mknod.
 */
#include "device_filter.h"

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

#define ANY_MINOR (-1)

static const struct {
    int major, minor;
} allowed[] = {
    {1, 3},           /* null */
    {1, 5},           /* zero */
    {1, 7},           /* full */
    {1, 8},           /* random */
    {1, 9},           /* urandom */
    {5, 0},           /* tty */
    {5, 2},           /* ptmx */
    {136, ANY_MINOR}, /* pts/N */
};

#define RULES (sizeof(allowed) / sizeof(allowed[0]))
#define RULE_LENGTH 4
#define HEAD_LENGTH 10
#define TAIL_LENGTH 2
#define LENGTH (HEAD_LENGTH + RULES * RULE_LENGTH + TAIL_LENGTH)

enum { RESULT, CONTEXT, TYPE, ACCESS, MAJOR, MINOR }; /* registers */

static struct bpf_insn load(int to, size_t offset) {
    return (struct bpf_insn){
        .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = to, .src_reg = CONTEXT, .off = (int16_t)offset};
}

static struct bpf_insn compute(int operation, int to, int operand) {
    return (struct bpf_insn){.code = BPF_ALU64 | BPF_K | operation, .dst_reg = to, .imm = operand};
}

/* Passes over the next `skip` instructions unless the register has the value. */
static struct bpf_insn unless(int reg, int value, int skip) {
    return (struct bpf_insn){
        .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = reg, .off = (int16_t)skip, .imm = value};
}

static struct bpf_insn leave(void) {
    return (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
}

/* Any node may be made: it is opening it that gives something away. */
static size_t put_head(struct bpf_insn* code) {
    size_t at = 0;
    code[at++] = load(TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
    code[at++] = load(ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
    code[at++] = compute(BPF_AND, TYPE, 0xffff);
    code[at++] = compute(BPF_RSH, ACCESS, 16);
    code[at++] = load(MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
    code[at++] = load(MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
    code[at++] = compute(BPF_MOV, RESULT, 1);
    code[at++] = unless(ACCESS, BPF_DEVCG_ACC_MKNOD, 1);
    code[at++] = leave();
    code[at++] = unless(TYPE, BPF_DEVCG_DEV_CHAR, RULES * RULE_LENGTH);
    return at;
}

static size_t put_rule(struct bpf_insn* code, int major, int minor) {
    code[0] = unless(MAJOR, major, 3);
    code[1] = minor == ANY_MINOR ? compute(BPF_MOV, RESULT, 1) : unless(MINOR, minor, 2);
    code[2] = compute(BPF_MOV, RESULT, 1);
    code[3] = leave();
    return RULE_LENGTH;
}

static int load_program(void) {
    struct bpf_insn code[LENGTH];
    size_t at = put_head(code);
    for (size_t i = 0; i < RULES; i++)
        at += put_rule(code + at, allowed[i].major, allowed[i].minor);
    code[at++] = compute(BPF_MOV, RESULT, 0);
    code[at++] = leave();
    const union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
                                 .insns = (uintptr_t)code,
                                 .insn_cnt = (uint32_t)at,
                                 .license = (uintptr_t) "Apache-2.0"};
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

int device_filter_attach(int cgroup, struct err* err) {
    owned_fd program = load_program();
    if (program < 0)
        return err_system(err, "load the device filter");
    const union bpf_attr attr = {
        .target_fd = (uint32_t)cgroup, .attach_bpf_fd = (uint32_t)program, .attach_type = BPF_CGROUP_DEVICE};
    return syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0
               ? err_system(err, "attach the device filter")
               : 0;
}

int device_filter_detach(int cgroup, struct err* err) {
    const union bpf_attr attr = {.target_fd = (uint32_t)cgroup, .attach_type = BPF_CGROUP_DEVICE};
    return syscall(SYS_bpf, BPF_PROG_DETACH, &attr, sizeof(attr)) < 0
               ? err_system(err, "detach the device filter")
               : 0;
}
