//! A disc of ours boots: SeaBIOS finds the boot catalog, loads the image and starts it.

use std::time::{Duration, Instant};

use mediabuild_formats::iso::BootEntry;

use crate::content::{Content, layout, options, tree};
use crate::images::peer::{Scratch, find};
use crate::images::to_file;

/// Assembled from the `boot.S` beside it.
const BOOT_SECTOR: &[u8; 2048] = include_bytes!("../../../../examples/quickstart/inputs/boot.bin");
/// What `isa-debug-exit` makes of the 0x10 the boot sector writes.
const EXIT_CODE: i32 = 33;

#[test]
fn seabios_boots_the_bios_entry() {
    boots(false);
}

/// Joliet's descriptor moves the boot catalog.
#[test]
fn seabios_boots_a_mirrored_disc() {
    boots(true);
}

fn boots(is_mirrored: bool) {
    let Some(mut qemu) = find("qemu-system-x86_64") else { return };
    let scratch = Scratch::new();
    let (disc, serial) = (scratch.path("boot.iso"), scratch.path("serial.txt"));
    let mut options = options("BOOT");
    options.is_mirrored = is_mirrored;
    options.bios =
        Some(BootEntry { content: Content::Bytes(BOOT_SECTOR.to_vec()), size_bytes: 2048 });
    let tree = tree(&[("sources/boot.wim", vec![7; 70_000])]);
    to_file(&layout(&tree, &options).0, &disc);

    let drive = format!("file={},media=cdrom,if=ide,readonly=on,format=raw", disc.display());
    qemu.args(["-machine", "pc,accel=tcg", "-m", "64", "-display", "none", "-no-reboot"])
        .args(["-nodefaults", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-boot", "d"])
        .args(["-serial", &format!("file:{}", serial.display()), "-drive", &drive]);
    let mut child = qemu.spawn().expect("qemu was found");
    let deadline = Instant::now() + Duration::from_secs(40);
    let status = loop {
        match child.try_wait().expect("our own child") {
            Some(status) => break Some(status),
            None if Instant::now() > deadline => break None,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    if status.is_none() {
        child.kill().expect("our own child");
        child.wait().expect("our own child");
    }
    let printed = std::fs::read_to_string(&serial).unwrap_or_default();
    assert!(printed.contains("MEDIABUILD-BIOS-OK"), "serial port: {printed:?}");
    assert_eq!(status.and_then(|status| status.code()), Some(EXIT_CODE));
}
