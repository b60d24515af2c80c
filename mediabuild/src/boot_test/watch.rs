//! Watching a machine until it shows what is waited for, or until there is no hope.

use std::time::Duration;

use super::machine::Machine;
use super::{Boot, Firmware};
use crate::cancel;
use crate::failure::Failure;

/// How often the logs are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How often the screen is compared, and a key pressed.
const LOOK_AT_SCREEN: Duration = Duration::from_secs(1);
/// How long media wait for a key, firmware included, on a slow machine.
const KEY_TIME: Duration = Duration::from_secs(60);
/// How long the shell of UEFI firmware has to run a `startup.nsh` of the medium: it waits five
/// seconds for a key first.
const SHELL_TIME: Duration = Duration::from_secs(10);

/// What a BIOS says when no medium started.
const BIOS_GAVE_UP: [&str; 1] = ["No bootable device"];
/// What UEFI firmware says on the serial port when no medium started.
const UEFI_GAVE_UP: [&str; 3] =
    ["EFI Internal Shell", "UEFI Interactive Shell", "No bootable option or device was found"];

/// What a machine showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Marker,
    Screen,
    /// Nothing was waited for, and time is over.
    TimeIsOver,
    /// What was waited for did not come in time.
    Nothing,
    /// The firmware found nothing on the medium that it starts.
    FirmwareGaveUp,
    /// The machine went off, or began anew.
    Off,
}

/// Until something is seen; `None` if the machine ended before its firmware said a word.
pub(super) fn watch(machine: &mut Machine, boot: &Boot<'_>) -> Result<Option<Seen>, Failure> {
    let mut watch = Watch { boot, next_screen: LOOK_AT_SCREEN, gave_up: None };
    loop {
        cancel::check()?;
        let is_off = machine.is_off()?;
        machine.read_logs()?;
        if boot.marker.is_some_and(|marker| machine.serial.meets(marker.as_bytes())) {
            return Ok(Some(Seen::Marker));
        }
        if is_off {
            return Ok(machine.has_run().then_some(Seen::Off));
        }
        if let Some(seen) = watch.look(machine, machine.started.elapsed())? {
            return Ok(Some(seen));
        }
        std::thread::sleep(LOOK);
    }
}

struct Watch<'a> {
    boot: &'a Boot<'a>,
    next_screen: Duration,
    /// Since when the firmware has nothing left to start.
    gave_up: Option<Duration>,
}

impl Watch<'_> {
    /// One look, so long after the start.
    fn look(&mut self, machine: &mut Machine, elapsed: Duration) -> Result<Option<Seen>, Failure> {
        if self.is_hopeless(machine, elapsed) {
            return Ok(Some(Seen::FirmwareGaveUp));
        }
        if elapsed >= self.next_screen {
            self.next_screen = elapsed + LOOK_AT_SCREEN;
            if self.boot.press_key && elapsed < KEY_TIME {
                machine.say("sendkey ret");
            }
            if self.is_on_screen(machine)? {
                return Ok(Some(Seen::Screen));
            }
        }
        if elapsed < self.boot.time_limit {
            return Ok(None);
        }
        let waited = self.boot.marker.is_some() || self.boot.screen.is_some();
        Ok(Some(if waited { Seen::Nothing } else { Seen::TimeIsOver }))
    }

    fn is_hopeless(&mut self, machine: &Machine, elapsed: Duration) -> bool {
        let (gave_up, patience) = match self.boot.firmware {
            Firmware::Bios => (machine.firmware.begins_with_one_of(&BIOS_GAVE_UP), Duration::ZERO),
            Firmware::Uefi => (machine.serial.begins_with_one_of(&UEFI_GAVE_UP), SHELL_TIME),
        };
        if gave_up && self.gave_up.is_none() {
            self.gave_up = Some(elapsed);
        }
        self.gave_up.is_some_and(|since| elapsed >= since + patience)
    }

    fn is_on_screen(&self, machine: &mut Machine) -> Result<bool, Failure> {
        let Some(wanted) = self.boot.screen else { return Ok(false) };
        Ok(machine.screen()?.is_some_and(|screen| screen.looks_like(wanted)))
    }
}
