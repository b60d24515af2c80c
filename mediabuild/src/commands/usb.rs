//! `mediabuild usb`: disk images onto USB sticks and disks, and which of them are there.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::Path;

use mediabuild_formats::iso::Disc;
use mediabuild_formats::source::Source;
use serde_json::json;

use super::inspect::medium::{AnySource, file_source, whole_disk};
use crate::cli::{UsbCommand, UsbWrite};
use crate::failure::Failure;
use crate::os;
use crate::progress::Progress;
use crate::size::human;
use crate::usb::{Disk, System, compare, disks, uses, write};

pub(super) fn run(command: &UsbCommand, progress: &Progress) -> Result<(), Failure> {
    let system = System::here().ok_or_else(|| {
        Failure::environment("USB disks can be found and written on Linux alone so far").help(
            "write the image with a program of this system: `dd` on macOS, Rufus in DD mode on Windows",
        )
    })?;
    match command {
        UsbCommand::List => list(&system, progress),
        UsbCommand::Write(options) => write_image(options, &system, progress),
    }
}

/// Every disk on the USB bus, and what keeps it from being written.
fn list(system: &System, progress: &Progress) -> Result<(), Failure> {
    let disks = disks(system)?;
    for disk in disks.iter().filter(|disk| disk.is_usb) {
        let uses = uses(disk, system)?;
        progress.json(json!({
            "event": "usb-disk",
            "device": disk.device.display().to_string(),
            "model": disk.model,
            "size_bytes": disk.size_bytes,
            "serial": disk.serial,
            "read_only": disk.is_read_only,
            "in_use": uses,
        }));
        progress.result(&describe(disk));
        for use_ in &uses {
            progress.result(&format!("  {use_}"));
        }
    }
    if !disks.iter().any(|disk| disk.is_usb) {
        progress.line("no disk is on the USB bus");
    }
    Ok(())
}

fn write_image(options: &UsbWrite, system: &System, progress: &Progress) -> Result<(), Failure> {
    let size_bytes = image_size(&options.image)?;
    let disk = find(&options.device, system)?;
    refuse(&disk, size_bytes, system)?;
    confirm(&disk, options, progress)?;
    let mut image =
        File::open(&options.image).map_err(|error| Failure::io("open", &options.image, &error))?;
    let mut device = open_confirmed(&disk, options, size_bytes, system)?;
    copy(&mut image, &mut device, &disk, size_bytes, progress)?;
    progress.json(json!({
        "event": "usb-written",
        "device": disk.device.display().to_string(),
        "serial": disk.serial,
        "bytes": size_bytes,
    }));
    progress.result(&format!(
        "{}: written and compared, {}",
        disk.device.display(),
        human(size_bytes)
    ));
    Ok(())
}

/// Opens the disk that was confirmed: it may have been pulled, or mounted, while somebody typed, and
/// another have its name now.
fn open_confirmed(
    disk: &Disk,
    options: &UsbWrite,
    size_bytes: u64,
    system: &System,
) -> Result<File, Failure> {
    refuse_another(disk, &find(&options.device, system)?)?;
    refuse(disk, size_bytes, system)?;
    let device = os::open_disk(&disk.device).map_err(|error| cannot_open(disk, &error))?;
    let number =
        os::disk_number(&device).map_err(|error| Failure::io("look at", &disk.device, &error))?;
    refuse_number(disk, number.as_deref())?;
    // A disk keeps its number while it is open, so what has the number and the name now is it.
    refuse_another(disk, &find(&options.device, system)?)?;
    Ok(device)
}

fn refuse_another(disk: &Disk, now: &Disk) -> Result<(), Failure> {
    if now == disk {
        return Ok(());
    }
    Err(Failure::usage(format!("`{}` is another disk now", disk.device.display()))
        .help("look at them again: mediabuild usb list"))
}

/// What was opened must be a disk, and have the number of the one that was confirmed.
fn refuse_number(disk: &Disk, opened: Option<&str>) -> Result<(), Failure> {
    let wanted = disk.parts.first().map(|part| part.number.as_str());
    if opened.is_some() && opened == wanted {
        return Ok(());
    }
    let (device, found) = (disk.device.display(), opened.unwrap_or("a file"));
    let wanted = wanted.unwrap_or("a disk");
    Err(Failure::usage(format!("`{device}` is {found}, not {wanted}: nothing was written"))
        .help("look at them again: mediabuild usb list"))
}

/// Writes the image, and compares what the disk has of it then.
fn copy(
    image: &mut File,
    device: &mut File,
    disk: &Disk,
    size_bytes: u64,
    progress: &Progress,
) -> Result<(), Failure> {
    let job = progress.job(&format!("write {}", disk.name), Some(size_bytes));
    write(image, device, &disk.device, &|bytes| job.advance(bytes))?;
    job.finish("written", true);
    let job = progress.job(&format!("compare {}", disk.name), Some(size_bytes));
    let differs = compare(image, device, &disk.device, &|bytes| job.advance(bytes))?;
    job.finish("compared", true);
    let Some(at) = differs else { return Ok(()) };
    let device = disk.device.display();
    Err(Failure::build(format!("`{device}` has other bytes than were written, from {at} on"))
        .help("the disk is damaged, or smaller than it says; take another"))
}

/// The size of a disk image; anything else is refused.
fn image_size(path: &Path) -> Result<u64, Failure> {
    let source: AnySource = Box::new(file_source(path)?);
    if Disc::open(&source).is_ok() {
        return Err(Failure::usage(format!(
            "`{}` is an ISO, which no stick boots",
            path.display()
        ))
        .help("let the medium make a disk image: `usb \"NAME.img\"` beside `output`"));
    }
    if whole_disk(&source, &path.to_string_lossy())?.is_none() {
        return Err(Failure::usage(format!("`{}` is no disk image", path.display()))
            .help("a medium with `usb \"NAME.img\"` makes one"));
    }
    Ok(source.size_bytes())
}

/// The disk that a device's path or name stands for.
fn find(device: &Path, system: &System) -> Result<Disk, Failure> {
    let path = if device.is_absolute() { device.to_owned() } else { system.dev.join(device) };
    // Names below /dev/disk/by-id are links.
    let path = path.canonicalize().unwrap_or(path);
    let all = disks(system)?;
    // A file somewhere else may be called like a disk.
    let devices = system.dev.canonicalize().unwrap_or_else(|_| system.dev.clone());
    let is = |name: &str| path == devices.join(name) || path == system.dev.join(name);
    if let Some(disk) = all.iter().find(|disk| is(&disk.name)) {
        return Ok(disk.clone());
    }
    let shown = device.display();
    let whole = all.iter().find(|disk| disk.parts.iter().any(|part| is(&part.name)));
    Err(match whole {
        Some(disk) => Failure::usage(format!("`{shown}` is a partition of {}", disk.name))
            .help(format!("name the whole disk: {}", disk.device.display())),
        None => no_disk(device, &path).help(
            "list those on the USB bus: mediabuild usb list; the image comes first, then the disk",
        ),
    })
}

/// What is there, and yet no disk: a file, a loop device.
fn no_disk(device: &Path, path: &Path) -> Failure {
    let what = match path.metadata().or_else(|_| device.metadata()) {
        Ok(metadata) if metadata.is_dir() => "is a folder, not a disk",
        Ok(metadata) if metadata.is_file() => "is a file, not a disk",
        Ok(_) => "is a device, but no disk that can be plugged in",
        Err(_) => return Failure::usage(format!("there is no disk `{}`", device.display())),
    };
    Failure::usage(format!("`{}` {what}", device.display()))
}

/// An error for every disk that must not or cannot be written.
fn refuse(disk: &Disk, size_bytes: u64, system: &System) -> Result<(), Failure> {
    let shown = describe(disk);
    if !disk.is_usb {
        return Err(Failure::usage(format!("not on the USB bus, so not written: {shown}"))
            .help("list those that are: mediabuild usb list"));
    }
    if disk.is_read_only {
        return Err(Failure::usage(format!("write-protected: {shown}"))
            .help("some sticks and card readers have a switch"));
    }
    if disk.size_bytes < size_bytes {
        let (wanted, has) = (human(size_bytes), human(disk.size_bytes));
        return Err(Failure::usage(format!("too small for {wanted}: {shown}"))
            .help(format!("it has {has} ({} of {size_bytes} bytes)", disk.size_bytes)));
    }
    let uses = uses(disk, system)?;
    if !uses.is_empty() {
        return Err(Failure::usage(format!("in use, so not written: {shown}"))
            .help(uses.join("\n        ")));
    }
    Ok(())
}

/// `/dev/sdb: SanDisk Ultra, 31 GB, serial 4C530001`.
fn describe(disk: &Disk) -> String {
    let serial =
        disk.serial.as_ref().map_or("no serial".into(), |serial| format!("serial {serial}"));
    format!("{}: {}, {}, {serial}", disk.device.display(), disk.model, human(disk.size_bytes))
}

/// Somebody types its name, or a script knows its serial number.
fn confirm(disk: &Disk, options: &UsbWrite, progress: &Progress) -> Result<(), Failure> {
    if let Some(wanted) = &options.serial
        && disk.serial.as_ref() != Some(wanted)
    {
        return Err(Failure::usage(format!(
            "not the disk with serial {wanted}: {}",
            describe(disk)
        ))
        .help("list them: mediabuild usb list"));
    }
    if options.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("nobody is here to confirm")
            .help("a script names the disk's serial number: --yes --serial SERIAL"));
    }
    progress.line(&describe(disk));
    progress.line(&format!("everything on it will be lost. Type `{}` to write it:", disk.name));
    let mut typed = String::new();
    io::stdin()
        .read_line(&mut typed)
        .map_err(|error| Failure::environment(format!("cannot read stdin: {error}")))?;
    match typed.trim() == disk.name {
        true => Ok(()),
        false => Err(Failure::usage("not confirmed; nothing was written")),
    }
}

fn cannot_open(disk: &Disk, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ResourceBusy => {
            Failure::usage(format!("in use, so not written: {}", describe(disk)))
                .help("unmount what is on it, and end programs that hold it")
        }
        io::ErrorKind::PermissionDenied => Failure::io("open", &disk.device, error).help(
            "the system lets only some users write to disks: join the group `disk`, or run as root",
        ),
        _ => Failure::io("open", &disk.device, error),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;

    use super::{confirm, find, image_size, open_confirmed, refuse, refuse_number};
    use crate::cli::{Format, UsbWrite};
    use crate::progress::Progress;
    use crate::usb::tests::machine;

    #[test]
    fn only_a_free_usb_disk_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let system = machine(folder.path());
        let stick = find(Path::new("sdb"), &system).unwrap();
        refuse(&stick, 32_768, &system).unwrap();
        let said = |failure: crate::failure::Failure| {
            format!("{failure} {}", failure.help.clone().unwrap_or_default())
        };
        assert!(said(refuse(&stick, 32_769, &system).unwrap_err()).contains("too small"));
        let internal = find(&system.dev.join("sda"), &system).unwrap();
        assert!(said(refuse(&internal, 1, &system).unwrap_err()).contains("not on the USB bus"));
        let whole = said(find(Path::new("sdb1"), &system).unwrap_err());
        assert!(whole.contains("a partition of sdb"), "{whole}");
        find(Path::new("loop0"), &system).expect_err("no disk");
        let file = folder.path().join("sdb");
        std::fs::write(&file, "called like a disk").unwrap();
        let refused = said(find(&file, &system).unwrap_err());
        assert!(refused.contains("is a file, not a disk"), "{refused}");
        let refused = said(find(folder.path(), &system).unwrap_err());
        assert!(refused.contains("is a folder, not a disk"), "{refused}");
        let refused = said(find(Path::new("/dev/null"), &system).unwrap_err());
        assert!(refused.contains("is a device, but no disk"), "{refused}");
        std::fs::write(system.proc.join("self/mountinfo"), "40 25 8:17 / /mnt rw - vfat x rw\n")
            .unwrap();
        assert!(said(refuse(&stick, 1, &system).unwrap_err()).contains("umount '/mnt'"));
    }

    fn write(yes: bool, serial: Option<&str>) -> UsbWrite {
        let (image, device) = ("x.img".into(), "sdb".into());
        UsbWrite { image, device, yes, serial: serial.map(str::to_owned) }
    }

    #[test]
    fn what_is_opened_is_the_disk_that_was_confirmed() {
        let folder = tempfile::tempdir().unwrap();
        let system = machine(folder.path());
        let stick = find(Path::new("sdb"), &system).unwrap();
        let options = write(true, Some("4C53 0001"));
        let open = |system| open_confirmed(&stick, &options, 1, system).map(|_| ());
        if cfg!(target_os = "linux") {
            // Here it is a file of this name.
            let refused = open(&system).unwrap_err().to_string();
            assert!(refused.contains("is a file, not 8:16: nothing was written"), "{refused}");
        }
        refuse_number(&stick, Some("8:16")).unwrap();
        refuse_number(&stick, Some("8:32")).expect_err("another disk");
        std::fs::write(system.sys.join("block/sdb/dev"), "8:32\n").unwrap();
        let refused = open(&system).unwrap_err().to_string();
        assert!(refused.contains("is another disk now"), "{refused}");
    }

    #[test]
    fn a_script_must_know_the_serial_number() {
        let folder = tempfile::tempdir().unwrap();
        let system = machine(folder.path());
        let stick = find(Path::new("sdb"), &system).unwrap();
        let progress = Progress::new(Format::Json);
        confirm(&stick, &write(true, Some("4C53 0001")), &progress).unwrap();
        confirm(&stick, &write(true, Some("4C53 0002")), &progress).expect_err("another disk");
    }

    #[test]
    fn what_is_no_disk_image_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.img");
        std::fs::write(&path, [0; 1024]).unwrap();
        image_size(&path).expect_err("no signature");
        let mut bytes = [0; 1024];
        bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
        std::fs::write(&path, bytes).unwrap();
        image_size(&path).expect_err("no partition");
        // A FAT32 partition of one sector, behind the table.
        bytes[450] = 0x0C;
        (bytes[454], bytes[458]) = (1, 1);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(image_size(&path).unwrap(), 1024);
        std::fs::write(&path, &bytes[..1000]).unwrap();
        let cut = image_size(&path).unwrap_err().to_string();
        assert!(cut.contains("is a damaged disk image: at 446"), "{cut}");
    }
}
