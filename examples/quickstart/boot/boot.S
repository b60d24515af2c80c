# A boot sector that proves that a disc boots on a BIOS, without anything of Windows.
#
# It prints MEDIABUILD-BIOS-OK on the first serial port and on the screen, then asks QEMU's
# isa-debug-exit device to end with exit code 33 (2 * 0x10 + 1); real hardware just halts.
#
# ../inputs/boot.bin is this file assembled, 2048 bytes (one sector of a disc):
#   as --32 boot.S -o boot.o
#   ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o ../inputs/boot.bin boot.o

        .code16
        .globl  _start

        .set    SERIAL, 0x3F8           # COM1: data; its line status is 5 further on
        .set    EXIT, 0xF4              # isa-debug-exit,iobase=0xf4

_start:
        ljmp    $0, $main               # some firmware starts at 07C0:0000, some at 0000:7C00

main:
        cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7c00, %sp
        sti
        cld
        mov     $message, %si

next:
        lodsb
        test    %al, %al
        jz      done
        mov     %al, %bl

        mov     $(SERIAL + 5), %dx
wait:
        in      %dx, %al                # a missing port reads 0xFF: ready
        test    $0x20, %al
        jz      wait
        mov     $SERIAL, %dx
        mov     %bl, %al
        out     %al, %dx

        mov     $0x0E, %ah              # teletype output; the character is still in %al
        mov     $0x0007, %bx
        int     $0x10
        jmp     next

done:
        mov     $0x10, %al
        out     %al, $EXIT
halt:
        hlt
        jmp     halt

message:
        .asciz  "MEDIABUILD-BIOS-OK\r\n"

        .org    510                     # a BIOS does not ask for it, some tools do
        .word   0xAA55
        .org    2048
