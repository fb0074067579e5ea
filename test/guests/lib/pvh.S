/* SPDX-License-Identifier: Apache-2.0
 * Where other monitors than ours enter: Xen's PVH protocol (32-bit protected mode, flat, no paging), which is what
 * QEMU's microvm speaks to an ELF kernel. Makes what our monitor would have made, then goes where it enters. */

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18                /* name, descriptor, XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad pvh_start

    .section .text
    .code32
    .global pvh_start
pvh_start:
    cli
    mov $pml4, %edi
    lea 4096 + 3(%edi), %eax
    mov %eax, (%edi)
    mov $4, %ecx                  /* four page directories, 1 GiB each */
    lea 4096(%edi), %edx
1:  add $4096, %eax
    mov %eax, (%edx)
    add $8, %edx
    loop 1b
    lea 8192(%edi), %edx
    mov $0x83, %eax               /* 2 MiB, writable, present */
    mov $2048, %ecx
2:  mov %eax, (%edx)
    add $0x200000, %eax
    add $8, %edx
    loop 2b

    lgdt gdt_pointer
    mov %cr4, %eax
    or $0x20, %eax                /* PAE */
    mov %eax, %cr4
    mov %edi, %cr3
    mov $0xc0000080, %ecx         /* EFER.LME */
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000001, %eax          /* PG, PE */
    mov %eax, %cr0
    ljmpl $0x10, $long_mode

    .code64
long_mode:
    mov $0x18, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    lea pvh_stack_top(%rip), %rsp
    call virtio_slots_of_microvm
    xor %esi, %esi                /* no zero page */
    jmp _start

    .section .rodata
    .balign 8
gdt:
    .quad 0, 0
    .quad 0x00af9b000000ffff      /* 0x10: 64-bit code */
    .quad 0x00cf93000000ffff      /* 0x18: data */
gdt_pointer:
    .word . - gdt - 1
    .long gdt

    .section .bss
    .balign 4096
pml4:
    .skip 6 * 4096
    .skip 256
pvh_stack_top:

    .section .note.GNU-stack, "", @progbits
