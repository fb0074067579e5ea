// SPDX-License-Identifier: Apache-2.0
#include "net/rate_program.h"

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace hrun::net {

namespace {

constexpr int32_t kNanoseconds = 1'000'000'000;
constexpr char kLicense[] = "Apache-2.0";
constexpr int16_t kKeyOnStack = -8;

int32_t low(uint64_t value) {
    return static_cast<int32_t>(value);
}

class Program {
  public:
    void op(uint8_t code, uint8_t to, uint8_t from = 0, int16_t offset = 0, int32_t value = 0) {
        bpf_insn instruction{};
        instruction.code = code;
        instruction.dst_reg = to & 0xf;
        instruction.src_reg = from & 0xf;
        instruction.off = offset;
        instruction.imm = value;
        code_.push_back(instruction);
    }
    void set(uint8_t to, int32_t value) { op(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value); }
    void copy(uint8_t to, uint8_t from) { op(BPF_ALU64 | BPF_MOV | BPF_X, to, from); }
    // 64 bits take two instructions; `kind` BPF_PSEUDO_MAP_FD makes a map of a descriptor.
    void set_wide(uint8_t to, uint64_t value, uint8_t kind = 0) {
        op(BPF_LD | BPF_IMM | BPF_DW, to, kind, 0, low(value));
        op(0, 0, 0, 0, low(value >> 32));
    }
    void call(int32_t function) { op(BPF_JMP | BPF_CALL, 0, 0, 0, function); }
    void end(int32_t verdict) {
        set(BPF_REG_0, verdict);
        op(BPF_JMP | BPF_EXIT, 0);
    }
    const std::vector<bpf_insn>& code() const { return code_; }

  private:
    std::vector<bpf_insn> code_;
};

int bpf(bpf_cmd command, bpf_attr& attributes) {
    return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

// One number: the time at which all that has passed is paid for.
Result<Fd> create_state() {
    bpf_attr wanted{};
    wanted.map_type = BPF_MAP_TYPE_ARRAY;
    wanted.key_size = sizeof(uint32_t);
    wanted.value_size = sizeof(uint64_t);
    wanted.max_entries = 1;
    Fd map(bpf(BPF_MAP_CREATE, wanted));
    if (!map.valid())
        return Error::last("make the state of a rate limit");
    return map;
}

// r6 the packet's length, r7 where the state is, r0 now, r1 the time up to which is paid. A bucket that nobody used is full: paid up
// to a burst ago. A packet passes when everything before it is paid for, however long it is: it may be the 64 KiB of a segmentation left to us.
// Processors that come at the same moment pass a packet each, and all are paid for.
Program program_of(int map, uint64_t rate) {
    Program program;
    program.op(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_6, BPF_REG_1, offsetof(__sk_buff, len));
    program.op(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, kKeyOnStack, 0);
    program.copy(BPF_REG_2, BPF_REG_10);
    program.op(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, kKeyOnStack);
    program.set_wide(BPF_REG_1, static_cast<uint64_t>(map), BPF_PSEUDO_MAP_FD);
    program.call(BPF_FUNC_map_lookup_elem);
    program.op(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 2, 0);
    program.end(TC_ACT_SHOT);
    program.copy(BPF_REG_7, BPF_REG_0);
    program.call(BPF_FUNC_ktime_get_ns);
    program.op(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_7, 0);
    program.copy(BPF_REG_2, BPF_REG_0);
    program.op(BPF_ALU64 | BPF_SUB | BPF_K, BPF_REG_2, 0, 0, kBurstNanoseconds);
    program.op(BPF_JMP | BPF_JGE | BPF_X, BPF_REG_1, BPF_REG_2, 2);
    program.op(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_7, BPF_REG_2, 0);
    program.copy(BPF_REG_1, BPF_REG_2);
    program.op(BPF_JMP | BPF_JGE | BPF_X, BPF_REG_0, BPF_REG_1, 2);
    program.end(TC_ACT_SHOT);
    program.op(BPF_ALU64 | BPF_MUL | BPF_K, BPF_REG_6, 0, 0, kNanoseconds);
    program.set_wide(BPF_REG_3, rate);
    program.op(BPF_ALU64 | BPF_DIV | BPF_X, BPF_REG_6, BPF_REG_3);
    program.op(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_7, BPF_REG_6, 0, BPF_ADD);
    program.end(TC_ACT_UNSPEC);
    return program;
}

} // namespace

Result<Fd> load_rate_program(uint64_t rate) {
    auto state = create_state();
    if (!state)
        return state.error();
    const Program program = program_of(state->get(), rate);
    bpf_attr wanted{};
    wanted.prog_type = BPF_PROG_TYPE_SCHED_CLS;
    wanted.insns = reinterpret_cast<uint64_t>(program.code().data());
    wanted.insn_cnt = static_cast<uint32_t>(program.code().size());
    wanted.license = reinterpret_cast<uint64_t>(kLicense);
    Fd loaded(bpf(BPF_PROG_LOAD, wanted));
    if (!loaded.valid())
        return Error::last("load a rate limit into the kernel");
    return loaded;
}

} // namespace hrun::net
