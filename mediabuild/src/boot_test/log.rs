//! `Log`: a file that a running machine writes, read as it grows.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// More than this no boot writes; a guest that writes without end fills no memory.
const LOG_BYTES_MAX: u64 = 64 << 20;

/// Firmware says no more than this before it starts something or gives up.
const FIRMWARE_BYTES_MAX: usize = 256 << 10;

pub(super) struct Log {
    file: File,
    bytes: Vec<u8>,
    /// In what comes before there is no marker.
    searched: usize,
}

impl Log {
    /// Makes the file, for the machine to write to.
    pub(super) fn create(path: &Path) -> io::Result<Log> {
        let file = File::options().read(true).append(true).create_new(true).open(path)?;
        Ok(Log { file, bytes: Vec::new(), searched: 0 })
    }

    /// Reads what is new.
    pub(super) fn read(&mut self) -> io::Result<()> {
        let left = LOG_BYTES_MAX.saturating_sub(self.bytes.len() as u64);
        self.file.by_ref().take(left).read_to_end(&mut self.bytes)?;
        Ok(())
    }

    /// Whether the marker is in what was read; each byte is looked at once.
    pub(super) fn meets(&mut self, marker: &[u8]) -> bool {
        let from = self.searched.min(self.bytes.len());
        let met = self.bytes[from..].windows(marker.len().max(1)).any(|window| window == marker);
        self.searched = (self.bytes.len() + 1).saturating_sub(marker.len().max(1));
        met
    }

    /// Whether any of the texts is in what was read; firmware speaks first.
    pub(super) fn begins_with_one_of(&self, texts: &[&str]) -> bool {
        let text = String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(FIRMWARE_BYTES_MAX)]);
        texts.iter().any(|wanted| text.contains(wanted))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// What a log says to people: no control sequences, no empty lines.
pub(super) fn readable(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split(['\n', '\r']).map(without_controls);
    lines.map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// `ESC [ 0 1 ; 3 7 m` moves cursors and sets colours; a terminal must not see another's.
fn without_controls(line: &str) -> String {
    let mut plain = String::new();
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' && letters.next_if_eq(&'[').is_some() {
            while letters.next().is_some_and(|letter| !letter.is_ascii_alphabetic()) {}
        } else if !letter.is_control() {
            plain.push(letter);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Log, readable};

    #[test]
    fn a_marker_is_met_across_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::create(&path).unwrap();
        let mut writer = std::fs::File::options().append(true).open(&path).unwrap();
        for (piece, met) in [("booting MAR", false), ("KE", false), ("R of it", true), ("x", false)]
        {
            writer.write_all(piece.as_bytes()).unwrap();
            log.read().unwrap();
            assert_eq!(log.meets(b"MARKER"), met, "{piece}");
        }
        assert!(log.begins_with_one_of(&["absent", "booting"]));
        assert_eq!(log.bytes(), b"booting MARKER of itx");
    }

    #[test]
    fn control_sequences_are_left_out() {
        let said = b"\x1b[2J\x1b[01;01H\x1b[=3hBdsDxe: loading Boot0001\r\n\r\n\x07ok \x1b[0m\n";
        assert_eq!(readable(said), ["BdsDxe: loading Boot0001", "ok"]);
    }
}
