//! A machine made of files: what sysfs and procfs say of a stick, a USB SSD, and the system's disk.

use std::fs::{self, File};
use std::path::Path;

use super::{Disk, System, compare, disks, uses, write};
use crate::cancel;

/// A `sys`, `proc` and `dev` of three disks.
pub(crate) fn machine(folder: &Path) -> System {
    let system =
        System { sys: folder.join("sys"), proc: folder.join("proc"), dev: folder.join("dev") };
    for (path, text) in [
        ("devices/pci/usb1/1-2/idVendor", "0781\n"),
        ("devices/pci/usb1/1-2/manufacturer", "Contoso\n"),
        ("devices/pci/usb1/1-2/product", "Stick \x1b[2J 3.2\n"),
        ("devices/pci/usb1/1-2/serial", "4C53 0001\n"),
        ("devices/pci/usb1/1-2/1-2:1.0/host6/block/sdb/size", "64\n"),
        ("devices/pci/usb1/1-2/1-2:1.0/host6/block/sdb/dev", "8:16\n"),
        ("devices/pci/usb1/1-2/1-2:1.0/host6/block/sdb/ro", "0\n"),
        ("devices/pci/usb1/1-2/1-2:1.0/host6/block/sdb/device/vendor", "x\n"),
        ("devices/pci/usb1/1-2/1-2:1.0/host6/block/sdb/sdb1/partition", "1\n"),
        ("devices/pci/usb1/1-2/1-2:1.0/host6/block/sdb/sdb1/dev", "8:17\n"),
        ("devices/pci/ata1/block/sda/size", "1000\n"),
        ("devices/pci/ata1/block/sda/dev", "8:0\n"),
        ("devices/pci/ata1/block/sda/ro", "0\n"),
        ("devices/pci/ata1/block/sda/device/model", "Internal\n"),
        ("devices/virtual/block/loop0/size", "8\n"),
        ("devices/virtual/block/loop0/dev", "7:0\n"),
    ] {
        put(&system.sys.join(path), text);
    }
    put(&system.proc.join("self/mountinfo"), "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
    put(&system.proc.join("swaps"), "Filename Type Size Used Priority\n");
    fs::create_dir_all(system.sys.join("block")).unwrap();
    #[cfg(unix)]
    for (name, target) in [
        ("sdb", "../devices/pci/usb1/1-2/1-2:1.0/host6/block/sdb"),
        ("sda", "../devices/pci/ata1/block/sda"),
        ("loop0", "../devices/virtual/block/loop0"),
    ] {
        std::os::unix::fs::symlink(target, system.sys.join("block").join(name)).unwrap();
    }
    put(&system.dev.join("sdb"), &"old".repeat(10_923)[..32_768]);
    system
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn stick(system: &System) -> Disk {
    disks(system).unwrap().into_iter().find(|disk| disk.name == "sdb").unwrap()
}

#[cfg(unix)]
#[test]
fn a_disk_is_told_by_its_bus_not_by_being_removable() {
    let folder = tempfile::tempdir().unwrap();
    let system = machine(folder.path());
    let names: Vec<_> =
        disks(&system).unwrap().into_iter().map(|disk| (disk.name, disk.is_usb)).collect();
    assert_eq!(names, [("sda".to_owned(), false), ("sdb".to_owned(), true)]);
    let stick = stick(&system);
    assert_eq!(stick.model, "Contoso Stick  [2J 3.2", "no control character reaches a terminal");
    assert_eq!(stick.serial.as_deref(), Some("4C53 0001"));
    assert_eq!(stick.size_bytes, 32_768);
    assert_eq!(stick.device, system.dev.join("sdb"));
    assert!(!stick.is_read_only);
}

#[cfg(unix)]
#[test]
fn a_disk_in_use_says_by_what() {
    let folder = tempfile::tempdir().unwrap();
    let system = machine(folder.path());
    assert_eq!(uses(&stick(&system), &system).unwrap(), [""; 0]);
    let btrfs = system.dev.join("sdb1").display().to_string();
    put(
        &system.proc.join("self/mountinfo"),
        &format!(
            "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
             40 25 8:17 / /media/MY\\040STICK rw - vfat /dev/x rw\n\
             41 25 0:50 / /mnt rw - btrfs {btrfs} rw\n"
        ),
    );
    put(&system.proc.join("swaps"), &format!("Filename Type\n{btrfs} partition 1 0 -2\n"));
    put(&system.sys.join("block/sdb/sdb1/holders/dm-0"), "");
    let said = uses(&stick(&system), &system).unwrap();
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[0].contains("sdb1 is mounted at /media/MY STICK"), "{said:?}");
    assert!(said[1].contains("/mnt"));
    assert!(said[2].contains("swapoff"));
    assert_eq!(said[3], "dm-0 lies on sdb1");
    fs::remove_file(system.proc.join("self/mountinfo")).unwrap();
    uses(&stick(&system), &system).expect_err("nothing is known to be free");
}

#[test]
fn what_was_written_is_compared_with_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (image, device) = (folder.path().join("image"), folder.path().join("device"));
    let bytes: Vec<u8> = (0..9_000_001_u32).map(|at| (at / 251) as u8).collect();
    fs::write(&image, &bytes).unwrap();
    fs::write(&device, vec![0xEE; 10 << 20]).unwrap();
    let mut image = File::open(&image).unwrap();
    let mut disk = File::options().read(true).write(true).open(&device).unwrap();
    let done = std::cell::Cell::new(0);
    let said = std::cell::RefCell::new(String::new());
    let step = |count| {
        done.set(done.get() + count);
        *said.borrow_mut() = cancel::stopped().to_string();
    };
    let nothing_left = "stopped; nothing unfinished was left behind";
    assert_eq!(cancel::stopped().to_string(), nothing_left);
    write(&mut image, &mut disk, &device, &step).unwrap();
    assert_eq!(done.get(), 9_000_001);
    assert!(said.borrow().ends_with("device` now is incomplete"), "{}", said.borrow());
    let written = fs::read(&device).unwrap();
    assert!(
        written[..bytes.len()] == bytes[..] && written[bytes.len()..].iter().all(|b| *b == 0xEE)
    );
    assert_eq!(compare(&mut image, &mut disk, &device, &step).unwrap(), None);
    assert!(said.borrow().ends_with("device` is written, but was not compared"));
    assert_eq!(cancel::stopped().to_string(), nothing_left);
    let mut damaged = written;
    damaged[8_000_000] ^= 1;
    fs::write(&device, &damaged).unwrap();
    assert_eq!(compare(&mut image, &mut disk, &device, &step).unwrap(), Some(8_000_000));
    fs::write(&device, &damaged[..1_000_000]).unwrap();
    compare(&mut image, &mut disk, &device, &step).expect_err("the disk ends too early");
}
