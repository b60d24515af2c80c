//! `mediabuild boot-test`: whether a medium boots, seen in an emulator.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mediabuild_formats::iso::Disc;
use serde_json::json;

use super::inspect::medium::{AnySource, file_source, whole_disk};
use crate::boot_test::{Attached, Boot, Ended, Firmware, Picture, Seen, boot};
use crate::cli::BootTest;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::replace::replace_or_write;
use crate::size::counted;

/// Lines of the serial port that are shown of a boot that failed.
const LAST_LINES: usize = 20;
/// Platforms of boot entries, by El Torito and UEFI.
const PLATFORMS: [(u8, Firmware); 2] = [(0x00, Firmware::Bios), (0xEF, Firmware::Uefi)];

/// Boots it with each firmware in turn; all of them, even if one fails.
pub(super) fn run(test: &BootTest, progress: &Progress) -> Result<(), Failure> {
    // The emulator works in a folder of its own.
    let medium =
        std::path::absolute(&test.file).map_err(|error| Failure::io("find", &test.file, &error))?;
    refuse_options(test)?;
    let (attached, firmwares) = recognise(&test.file)?;
    let firmwares = wanted(test, firmwares)?;
    let screen = test.screen.as_deref().map(Picture::open).transpose()?;
    let mut failed = 0;
    for firmware in &firmwares {
        let named = |path: &Option<PathBuf>| {
            path.as_deref().map(|path| name_for(path, *firmware, firmwares.len()))
        };
        let attached = test.attached.unwrap_or(attached);
        let screenshot = named(&test.screenshot);
        let one =
            Boot { screenshot, ..boot_of(test, &medium, *firmware, attached, screen.as_ref()) };
        let ended = boot_one(&one, progress)?;
        if let Some(path) = named(&test.serial) {
            replace_or_write(&path, &ended.serial)?;
        }
        failed += usize::from(!tell(&one, &ended, progress));
    }
    match failed {
        0 => Ok(()),
        _ => {
            let (file, count) = (test.file.display(), counted(failed, "firmware"));
            let failure = Failure::build(format!("`{file}` did not boot with {count}"));
            Err(Failure { help: advice(test, attached), ..failure })
        }
    }
}

/// The firmwares to boot with, of those that can start it.
fn wanted(test: &BootTest, mut firmwares: Vec<Firmware>) -> Result<Vec<Firmware>, Failure> {
    if let Some(firmware) = test.firmware {
        firmwares = vec![firmware];
    }
    if test.secure_boot {
        firmwares.retain(|firmware| *firmware == Firmware::Uefi);
    }
    if firmwares.is_empty() { Err(nothing_to_boot(test)) } else { Ok(firmwares) }
}

/// A boot as it was asked for; its screenshot is named by who knows how many there are.
fn boot_of<'a>(
    test: &'a BootTest,
    medium: &'a Path,
    firmware: Firmware,
    attached: Attached,
    screen: Option<&'a Picture>,
) -> Boot<'a> {
    Boot {
        medium,
        firmware,
        attached,
        secure_boot: test.secure_boot,
        emulated: test.emulated,
        memory_bytes: test.memory,
        press_key: test.press_key,
        time_limit: Duration::from_secs(test.time),
        marker: test.marker.as_deref(),
        screen,
        screenshot: None,
    }
}

/// What contradicts itself, whatever the medium is.
fn refuse_options(test: &BootTest) -> Result<(), Failure> {
    if test.secure_boot && test.firmware == Some(Firmware::Bios) {
        return Err(Failure::usage("a BIOS has no Secure Boot")
            .help("leave --firmware bios out, or --secure-boot"));
    }
    test.screenshot.as_deref().map_or(Ok(()), refuse_format)
}

/// QEMU writes these two, whatever a file is called.
fn refuse_format(screenshot: &Path) -> Result<(), Failure> {
    let extension = screenshot.extension().unwrap_or_default().to_ascii_lowercase();
    if extension == "png" || extension == "ppm" {
        return Ok(());
    }
    Err(Failure::usage(format!("no picture like `{}` can be made", screenshot.display()))
        .help("call it .png, or .ppm to wait for it with --screen"))
}

/// What to do about a medium that did not boot; `None` where all that helps was asked for.
fn advice(test: &BootTest, attached: Attached) -> Option<String> {
    if attached == Attached::Usb && test.firmware == Some(Firmware::Bios) {
        let words =
            "a disk image starts UEFI machines only: leave --firmware bios out, or boot the ISO";
        return Some(words.into());
    }
    let screen = "--screenshot FILE.png shows what was on the screen";
    let serial = "--serial FILE keeps the log";
    let not_given = [(screen, test.screenshot.is_none()), (serial, test.serial.is_none())];
    let words: Vec<&str> = not_given.iter().filter(|it| it.1).map(|it| it.0).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn boot_one(one: &Boot<'_>, progress: &Progress) -> Result<Ended, Failure> {
    let label = format!("boot {}", how(one));
    progress.line(&format!("{label}: {}", wait_for(one)));
    let job = progress.job(&label, None);
    let ended = boot(one)?;
    job.finish("ended", false);
    Ok(ended)
}

/// How a file is attached, and what can start it.
fn recognise(path: &Path) -> Result<(Attached, Vec<Firmware>), Failure> {
    let source: AnySource = Box::new(file_source(path)?);
    if let Ok(disc) = Disc::open(&source) {
        let images = disc.boot().map_or(&[][..], |catalog| &catalog.images);
        let has = |platform: u8| {
            images.iter().any(|image| image.is_bootable && image.platform == platform)
        };
        let firmwares = PLATFORMS.into_iter().filter(|(platform, _)| has(*platform));
        return Ok((Attached::Cd, firmwares.map(|(_, firmware)| firmware).collect()));
    }
    match whole_disk(&source, &path.to_string_lossy())? {
        Some(_) => Ok((Attached::Usb, vec![Firmware::Uefi])),
        None => Err(not_bootable(path)),
    }
}

fn not_bootable(path: &Path) -> Failure {
    Failure::usage(format!("`{}` is neither an ISO nor a disk image", path.display()))
        .help("build a medium of type \"bootable\", and give its result")
}

fn nothing_to_boot(test: &BootTest) -> Failure {
    let kind = if test.secure_boot { "entry for UEFI" } else { "boot entry" };
    let help = "the first disc of a set boots; any other ISO needs `el-torito`, or an \
                `efi/boot/boot….efi`, in the `boot-files` of its boot image";
    Failure::build(format!("`{}` has no {kind}", test.file.display())).help(help)
}

/// `shot.png` is `shot-bios.png` where several firmwares would write it.
fn name_for(path: &Path, firmware: Firmware, count: usize) -> PathBuf {
    if count < 2 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    let firmware = firmware.name().to_lowercase();
    path.with_file_name(format!("{stem}-{firmware}{}", extension.unwrap_or_default()))
}

/// `boot.iso (UEFI, CD)`.
fn how(boot: &Boot<'_>) -> String {
    let name = boot.medium.file_name().unwrap_or_default().to_string_lossy();
    let secure = if boot.secure_boot { ", Secure Boot" } else { "" };
    format!("{name} ({}{secure}, {})", boot.firmware.name(), boot.attached.name())
}

fn wait_for(boot: &Boot<'_>) -> String {
    let sign = match (boot.marker, boot.screen) {
        (Some(marker), None) => format!("waiting for `{marker}`"),
        (None, Some(_)) => "waiting for the screen".into(),
        (Some(marker), Some(_)) => format!("waiting for `{marker}` or the screen"),
        (None, None) => "running".into(),
    };
    format!("{sign}, {} s at most", boot.time_limit.as_secs())
}

/// Says how a boot ended; whether that is what was wanted.
fn tell(boot: &Boot<'_>, ended: &Ended, progress: &Progress) -> bool {
    let seconds = format!("{:.1} s", ended.after.as_secs_f64());
    let (ok, words) = match ended.seen {
        Seen::Marker => (true, format!("booted: the marker came after {seconds}")),
        Seen::Screen => (true, format!("booted: the screen came after {seconds}")),
        Seen::TimeIsOver => (true, format!("ran for {seconds}")),
        Seen::Nothing => (false, format!("no sign of it after {seconds}")),
        Seen::FirmwareGaveUp => {
            (false, format!("the firmware found nothing that it starts, after {seconds}"))
        }
        Seen::Off => (false, format!("the machine went off or began anew after {seconds}")),
    };
    progress.json(json!({
        "event": "boot",
        "file": boot.medium.display().to_string(),
        "firmware": boot.firmware.name(),
        "as": boot.attached.name(),
        "secure_boot": boot.secure_boot,
        "accelerated": ended.accelerated,
        "ok": ok,
        "outcome": words,
        "seconds": ended.after.as_secs_f64(),
        "serial": ended.lines,
    }));
    if !ok {
        let last = ended.lines.len().saturating_sub(LAST_LINES);
        for line in &ended.lines[last..] {
            progress.line(&format!("   serial {line}"));
        }
    }
    if let Some(path) = &boot.screenshot {
        let path = path.display();
        progress.line(&match ended.has_screenshot {
            true => format!("   screen {path}"),
            false => format!("   no picture of the screen: `{path}` is not written"),
        });
    }
    progress.result(&format!("{}: {words}", how(boot)));
    ok
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Firmware, name_for};

    #[test]
    fn pictures_of_several_firmwares_have_names_of_their_own() {
        let named = |count| name_for(Path::new("out/my.shot.png"), Firmware::Uefi, count);
        assert_eq!(named(1), PathBuf::from("out/my.shot.png"));
        assert_eq!(named(2), PathBuf::from("out/my.shot-uefi.png"));
        let plain = name_for(Path::new("shot"), Firmware::Bios, 2);
        assert_eq!(plain, PathBuf::from("shot-bios"));
    }
}
