/* SPDX-License-Identifier: Apache-2.0
 * Where the VMM enters (64-bit mode, flat, first 4 GiB mapped, RSI = zero page), the trampoline on which other
 * processors start, and the interrupt stubs. */

    .section .text.start, "ax"
    .global _start
_start:
    lea boot_stack_top(%rip), %rsp
    mov %rsi, %rdi
    call guest_main
    call power_off

/* A processor after SIPI: real mode at the page that `trampoline` was copied to. */
    .section .text
    .global trampoline, trampoline_end
    .code16
trampoline:
    cli
    xor %ax, %ax
    mov %ax, %ds
    lgdtl ap_gdt_pointer - trampoline + TRAMPOLINE
    mov $0x20, %eax               /* CR4.PAE */
    mov %eax, %cr4
    mov $0x9000, %eax             /* the page tables that the VMM made */
    mov %eax, %cr3
    mov $0xc0000080, %ecx         /* EFER.LME */
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000001, %eax          /* PG, PE */
    mov %eax, %cr0
    ljmpl $0x10, $ap_entry
    .balign 8
ap_gdt_pointer:
    .word 47
    .long 0x1000                  /* the GDT that the VMM made */
trampoline_end:

    .code64
ap_entry:
    mov $0x18, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov ap_stack(%rip), %rsp
    call ap_main
1:  hlt
    jmp 1b

/* One stub per vector; `isr_stubs` is their table. The handler gets the vector and the address of the frame. */
    .macro STUB vector error_code
stub_\vector:
    .if \error_code == 0
    push $0
    .endif
    push $\vector
    jmp stub_common
    .endm

    .altmacro
    .set vector, 0
    .rept 64
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
    STUB %vector, 1
    .else
    STUB %vector, 0
    .endif
    .set vector, vector + 1
    .endr

stub_common:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    mov 72(%rsp), %rdi
    lea 72(%rsp), %rsi
    cld
    call interrupt
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

    .macro STUB_ADDRESS vector
    .quad stub_\vector
    .endm
    .section .rodata
    .balign 8
    .global isr_stubs
isr_stubs:
    .set vector, 0
    .rept 64
    STUB_ADDRESS %vector
    .set vector, vector + 1
    .endr

    .section .bss
    .balign 16
    .skip 16384
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
