/* SPDX-License-Identifier: Apache-2.0
 * Ring 3, which any KVM runs at full speed, for a guest that keeps all its rights there: memory, ports and registers. Back
 * to ring 0 leads an exception: a KVM in software has neither INT nor SYSCALL there. */

    .set USER_DATA, 0x23
    .set USER_CODE, 0x2b

    .section .text
    .global user_mode_call, leave_gate
/* void user_mode_call(void (*function)(struct run), struct run argument): all of the argument is in rsi and rdx. */
user_mode_call:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, kernel_stack(%rip)
    pushq $USER_DATA
    lea user_stack_top(%rip), %rax
    push %rax
    pushq $0x3002                 /* IOPL 3, interrupts off */
    pushq $USER_CODE
    lea user_entry(%rip), %rax
    push %rax
    iretq
user_entry:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    call *%rax
    xor %ecx, %ecx
    div %ecx

/* Division by zero: back to the caller of user_mode_call. */
leave_gate:
    mov kernel_stack(%rip), %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .section .bss
    .balign 16
kernel_stack:
    .skip 16
    .skip 16384
user_stack_top:

    .section .note.GNU-stack, "", @progbits
