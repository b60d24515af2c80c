//! A running machine: its process, what it writes, and what is on its screen.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::firmware::{self, UefiFirmware};
use super::log::{Log, readable};
use super::qemu::{self, FIRMWARE_LOG, SERIAL, VARIABLES};
use super::screen::{Picture, is_whole};
use super::watch::{Seen, watch};
use super::{Boot, Firmware};
use crate::cancel;
use crate::failure::Failure;
use crate::replace::replace_or_write;

/// What QEMU itself complains of.
const ERRORS: &str = "errors.txt";
/// How often a picture that was asked for is looked for.
const LOOK: Duration = Duration::from_millis(25);
/// How long QEMU may take to write a picture.
const PICTURE_TIME: Duration = Duration::from_secs(10);

/// How a boot ended.
pub(crate) struct Ended {
    pub(crate) seen: Seen,
    pub(crate) after: Duration,
    /// Whether the machine ran with the processor's help.
    pub(crate) accelerated: bool,
    /// What the medium and UEFI firmware wrote to the serial port.
    pub(crate) serial: Vec<u8>,
    /// The same for people.
    pub(crate) lines: Vec<String>,
    /// Whether there is a picture of this boot: of a machine that is off there is none.
    pub(crate) has_screenshot: bool,
}

/// Boots the medium.
///
/// # Errors
/// QEMU or firmware is missing or does not run, the medium cannot be read, Ctrl-C.
pub(crate) fn boot(boot: &Boot<'_>) -> Result<Ended, Failure> {
    let program = qemu::find()?;
    let uefi = match boot.firmware {
        Firmware::Bios => None,
        Firmware::Uefi => Some(firmware::find(&program, boot.secure_boot)?),
    };
    let run = |accelerated| run(boot, &program, uefi.as_ref(), accelerated);
    let accelerated = !boot.emulated && qemu::accelerator().is_some();
    match run(accelerated)? {
        Some(ended) => Ok(ended),
        // There may be no KVM, none that this user may open, or one that does not work: inside of
        // other virtual machines.
        None if accelerated => run(false)?.ok_or_else(never_ran),
        None => Err(never_ran()),
    }
}

fn never_ran() -> Failure {
    Failure::environment("QEMU ended before the firmware said a word")
        .help("-v shows what it says; try it by hand: qemu-system-x86_64 -cdrom FILE")
}

/// `None` if the machine never ran.
fn run(
    boot: &Boot<'_>,
    program: &Path,
    uefi: Option<&UefiFirmware>,
    accelerated: bool,
) -> Result<Option<Ended>, Failure> {
    let folder = tempfile::tempdir().map_err(|error| {
        Failure::environment(format!("cannot make a temporary folder: {error}"))
    })?;
    if let Some(uefi) = uefi {
        // Not copied with its permissions: it may be read-only there.
        let variables = fs::read(&uefi.variables)
            .map_err(|error| Failure::io("read", &uefi.variables, &error))?;
        let copy = folder.path().join(VARIABLES);
        fs::write(&copy, variables).map_err(|error| Failure::io("write", &copy, &error))?;
    }
    let mut command = qemu::command(program, boot, uefi, accelerated, folder.path());
    tracing::debug!("{command:?}");
    let mut machine = Machine::start(&mut command, folder.path())?;
    let Some(seen) = watch(&mut machine, boot)? else { return Ok(None) };
    let screenshot = boot.screenshot.as_ref().filter(|_| seen != Seen::Off);
    screenshot.map_or(Ok(()), |path| machine.save_screen(path))?;
    machine.read_logs()?;
    let serial = machine.serial.bytes().to_vec();
    let (after, lines) = (machine.started.elapsed(), readable(&serial));
    let has_screenshot = screenshot.is_some();
    Ok(Some(Ended { seen, after, accelerated, serial, lines, has_screenshot }))
}

/// A process that ends with it.
pub(super) struct Machine {
    child: Child,
    monitor: ChildStdin,
    folder: PathBuf,
    pub(super) serial: Log,
    pub(super) firmware: Log,
    pub(super) started: Instant,
}

impl Machine {
    fn start(command: &mut Command, folder: &Path) -> Result<Machine, Failure> {
        let log = |name: &str| {
            let path = folder.join(name);
            Log::create(&path).map_err(|error| Failure::io("write", &path, &error))
        };
        let (serial, firmware) = (log(SERIAL)?, log(FIRMWARE_LOG)?);
        let errors = folder.join(ERRORS);
        let errors_file =
            fs::File::create(&errors).map_err(|error| Failure::io("write", &errors, &error))?;
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(errors_file);
        let mut child = command
            .spawn()
            .map_err(|error| Failure::environment(format!("cannot run QEMU: {error}")))?;
        let monitor =
            child.stdin.take().ok_or_else(|| Failure::environment("QEMU has no input"))?;
        let (folder, started) = (folder.to_owned(), Instant::now());
        Ok(Machine { child, monitor, folder, serial, firmware, started })
    }

    pub(super) fn is_off(&mut self) -> Result<bool, Failure> {
        let status = self.child.try_wait();
        let status = status.map_err(|error| Failure::environment(format!("lost QEMU: {error}")))?;
        Ok(status.is_some())
    }

    pub(super) fn has_run(&self) -> bool {
        for line in readable(&fs::read(self.folder.join(ERRORS)).unwrap_or_default()) {
            tracing::info!("qemu: {line}");
        }
        !self.serial.bytes().is_empty() || !self.firmware.bytes().is_empty()
    }

    pub(super) fn read_logs(&mut self) -> Result<(), Failure> {
        let read = self.serial.read().and_then(|()| self.firmware.read());
        read.map_err(|error| Failure::io("read", &self.folder, &error))
    }

    /// A line for QEMU's monitor. One that is not heard is noticed by what does not follow.
    pub(super) fn say(&mut self, line: &str) {
        let _ = writeln!(self.monitor, "{line}");
        let _ = self.monitor.flush();
    }

    /// What is on the screen; `None` if there is none yet.
    pub(super) fn screen(&mut self) -> Result<Option<Picture>, Failure> {
        Ok(self.picture("screen.ppm", "ppm")?.and_then(|bytes| Picture::parse(&bytes)))
    }

    /// Writes what is on the screen into a file; its name says in which form.
    fn save_screen(&mut self, path: &Path) -> Result<(), Failure> {
        let is_ppm =
            path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ppm"));
        let (name, format) = if is_ppm { ("last.ppm", "ppm") } else { ("last.png", "png") };
        let bytes = self.picture(name, format)?.ok_or_else(|| {
            Failure::environment(format!("QEMU gives no picture of the screen as {format}"))
                .help("QEMU 7.1 is the first that writes PNG; ask for a .ppm")
        })?;
        replace_or_write(path, &bytes)
    }

    fn picture(&mut self, name: &str, format: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.folder.join(name);
        let _ = fs::remove_file(&path);
        // The default form is not asked for: older programs do not know the question.
        let option = if format == "ppm" { String::new() } else { format!(" -f {format}") };
        self.say(&format!("screendump {name}{option}"));
        let asked = Instant::now();
        while asked.elapsed() < PICTURE_TIME && !self.is_off()? {
            cancel::check()?;
            if let Some(bytes) = fs::read(&path).ok().filter(|bytes| is_whole(bytes)) {
                return Ok(Some(bytes));
            }
            std::thread::sleep(LOOK);
        }
        Ok(None)
    }
}

impl Drop for Machine {
    /// Ended or not: nothing of it stays, and its files can be removed.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
