# A UEFI application that proves that a medium boots, without anything of Windows.
#
# It prints MEDIABUILD-UEFI-OK on the first serial port and on the firmware's console, then asks
# QEMU's isa-debug-exit device to end with exit code 35 (2 * 0x11 + 1); real hardware just halts.
#
# ../inputs/uefi/EFI/BOOT/BOOTX64.EFI is this file assembled, 1024 bytes: a PE32+ file's headers and
# one section, written out here so that no linker's version decides the bytes:
#   as --64 uefi.S -o uefi.o
#   ld -m elf_x86_64 -Ttext 0 --oformat binary -o ../inputs/uefi/EFI/BOOT/BOOTX64.EFI uefi.o

        .code64
        .globl  _start

        .set    SERIAL, 0x3F8           # COM1: data; its line status is 5 further on
        .set    EXIT, 0xF4              # isa-debug-exit,iobase=0xf4
        .set    CON_OUT, 0x40           # in the system table, UEFI 4.3
        .set    OUTPUT_STRING, 0x08     # in the console's protocol, UEFI 12.4

        .set    FILE_ALIGNMENT, 0x200
        .set    PAGE, 0x1000

_start:
        .ascii  "MZ"
        .org    0x3C
        .long   pe - _start

pe:
        .ascii  "PE\0\0"
        .word   0x8664                  # machine: x86-64
        .word   1                       # sections
        .long   0, 0, 0                 # time, symbols
        .word   sections - optional
        .word   0x0022                  # executable, any address
optional:
        .word   0x020B                  # PE32+
        .byte   0, 0                    # linker's version
        .long   FILE_ALIGNMENT, 0, 0    # size of code, data, zeros
        .long   PAGE                    # entry point
        .long   PAGE                    # start of code
        .quad   0                       # preferred address
        .long   PAGE, FILE_ALIGNMENT
        .word   0, 0, 0, 0, 0, 0        # versions
        .long   0
        .long   2 * PAGE                # size in memory
        .long   FILE_ALIGNMENT          # size of headers
        .long   0                       # checksum
        .word   10                      # subsystem: UEFI application
        .word   0x0140                  # any address, no execution of data
        .quad   0, 0, 0, 0              # stack and heap
        .long   0
        .long   16
        .fill   16, 8, 0                # directories
sections:
        .ascii  ".text\0\0\0"
        .long   FILE_ALIGNMENT, PAGE    # in memory
        .long   FILE_ALIGNMENT, FILE_ALIGNMENT  # in the file
        .long   0, 0, 0
        .long   0x60000020              # code, executed and read

        .org    FILE_ALIGNMENT
main:                                   # rcx: image handle, rdx: system table
        sub     $0x28, %rsp             # room for the callee, and an aligned stack
        mov     %rdx, %r8
        lea     message(%rip), %rsi
next:
        lodsw
        test    %ax, %ax
        jz      console
        mov     %al, %bl

        mov     $(SERIAL + 5), %dx
wait:
        in      %dx, %al                # a missing port reads 0xFF: ready
        test    $0x20, %al
        jz      wait
        mov     $SERIAL, %dx
        mov     %bl, %al
        out     %al, %dx
        jmp     next

console:
        mov     CON_OUT(%r8), %rcx
        lea     message(%rip), %rdx
        call    *OUTPUT_STRING(%rcx)

        mov     $0x11, %al
        out     %al, $EXIT
halt:
        hlt
        jmp     halt

message:
        .irpc   letter, MEDIABUILD-UEFI-OK
        .ascii  "\letter\()\0"
        .endr
        .word   0x0D, 0x0A, 0
        .org    2 * FILE_ALIGNMENT
