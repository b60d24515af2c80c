//! The command line of QEMU.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::firmware::UefiFirmware;
use super::{Attached, Boot, Firmware};
use crate::failure::Failure;
use crate::os::bound_command;

/// The program.
const PROGRAM: &str = "qemu-system-x86_64";

/// What the machine writes, in its working folder.
pub(super) const SERIAL: &str = "serial.txt";
/// What SeaBIOS says.
pub(super) const FIRMWARE_LOG: &str = "firmware.txt";
/// The copy of the firmware's variables, which it changes.
pub(super) const VARIABLES: &str = "variables.fd";

/// Where QEMU is, by the folders that programs are looked for in.
pub(super) fn find() -> Result<PathBuf, Failure> {
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&folders).map(|folder| folder.join(&name));
    places.filter_map(|place| place.canonicalize().ok()).find(|place| place.is_file()).ok_or_else(
        || {
            Failure::environment(format!("there is no {PROGRAM} here")).help(
                "install QEMU (Debian and Ubuntu: apt install qemu-system-x86 ovmf, macOS: brew install qemu, \
                 Windows: winget install SoftwareFreedomConservancy.QEMU) and see that it is in PATH",
            )
        },
    )
}

/// The machine of a boot. It writes what it has to say into `folder`.
pub(super) fn command(
    program: &Path,
    boot: &Boot<'_>,
    uefi: Option<&UefiFirmware>,
    accelerated: bool,
    folder: &Path,
) -> Command {
    // A machine that nobody watches any more would run for ever.
    let mut command = bound_command(program);
    command.current_dir(folder);
    command.args(["-nodefaults", "-no-reboot", "-display", "none", "-vga", "std"]);
    command.args(["-monitor", "stdio", "-serial", &format!("file:{SERIAL}")]);
    // Windows of today wants instructions that QEMU's default processor lacks.
    command.args(["-cpu", "max", "-m", &format!("{}M", (boot.memory_bytes >> 20).max(32))]);
    command.args(["-machine", &machine(boot.firmware, uefi, accelerated)]);
    match uefi {
        Some(uefi) => flash(&mut command, uefi),
        None => debug_console(&mut command),
    }
    command.arg("-drive").arg(drive(boot));
    command.args(device(boot.attached));
    command
}

/// The processor's help, as this system gives it. It is asked for alone: QEMU would fall back by itself
/// and not say so.
pub(super) fn accelerator() -> Option<&'static str> {
    match std::env::consts::OS {
        "linux" => Some("kvm"),
        "macos" => Some("hvf"),
        "windows" => Some("whpx"),
        _ => None,
    }
}

/// The older machine is the one that a BIOS knows, disc drive and all.
fn machine(firmware: Firmware, uefi: Option<&UefiFirmware>, accelerated: bool) -> String {
    let model = match firmware {
        Firmware::Bios => "pc",
        Firmware::Uefi => "q35",
    };
    let accelerator = accelerator().filter(|_| accelerated).unwrap_or("tcg");
    let smm = if uefi.is_some_and(|uefi| uefi.needs_smm) { ",smm=on" } else { "" };
    format!("{model},accel={accelerator}{smm}")
}

fn flash(command: &mut Command, uefi: &UefiFirmware) {
    let mut code = OsString::from("if=pflash,format=raw,unit=0,readonly=on,file=");
    code.push(escaped(&uefi.code));
    command.arg("-drive").arg(code);
    command.args(["-drive", &format!("if=pflash,format=raw,unit=1,file={VARIABLES}")]);
    if uefi.needs_smm {
        command.args(["-global", "driver=cfi.pflash01,property=secure,value=on"]);
    }
}

/// SeaBIOS tells there what it tries.
fn debug_console(command: &mut Command) {
    command.args(["-chardev", &format!("file,id=firmware,path={FIRMWARE_LOG}")]);
    command.args(["-device", "isa-debugcon,iobase=0x402,chardev=firmware"]);
}

/// The medium is only read: a disc cannot be written, of a disk a passing copy is.
fn drive(boot: &Boot<'_>) -> OsString {
    let mut drive = OsString::from(match boot.attached {
        Attached::Cd => "if=none,id=medium,format=raw,media=cdrom,readonly=on,file=",
        Attached::Usb | Attached::Virtio => "if=none,id=medium,format=raw,snapshot=on,file=",
    });
    drive.push(escaped(boot.medium));
    drive
}

/// QEMU ends a value at a comma, and takes two of them for one.
#[cfg(unix)]
fn escaped(path: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let pieces: Vec<&[u8]> = path.as_os_str().as_bytes().split(|byte| *byte == b',').collect();
    OsString::from_vec(pieces.join(&b",,"[..]))
}

#[cfg(not(unix))]
fn escaped(path: &Path) -> OsString {
    match path.to_str() {
        Some(text) => text.replace(',', ",,").into(),
        None => path.into(),
    }
}

fn device(attached: Attached) -> Vec<&'static str> {
    match attached {
        Attached::Cd => vec!["-device", "ide-cd,drive=medium,bootindex=1"],
        Attached::Usb => vec![
            "-device",
            "qemu-xhci",
            "-device",
            "usb-storage,drive=medium,bootindex=1,removable=on",
        ],
        Attached::Virtio => vec!["-device", "virtio-blk-pci,drive=medium,bootindex=1"],
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use super::{Firmware, escaped, machine};

    #[test]
    fn qemu_is_never_let_choose_between_help_and_none() {
        assert_eq!(machine(Firmware::Bios, None, true), "pc,accel=kvm");
        assert_eq!(machine(Firmware::Bios, None, false), "pc,accel=tcg");
    }

    #[test]
    fn commas_are_doubled_in_names_of_any_bytes() {
        let path = |bytes: &'static [u8]| Path::new(OsStr::from_bytes(bytes));
        assert_eq!(escaped(path(b"/a\xff,b,,c")), path(b"/a\xff,,b,,,,c").as_os_str());
    }
}
