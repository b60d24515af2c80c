//! `inspect variables`: the decrypted variables of a medium.

use std::path::Path;

use mediabuild_formats::source::Source;
use mediabuild_formats::variables::decrypt;
use mediabuild_formats::volume::{Entry, FileReader};
use serde_json::json;

use super::cat::{pour, wim_file};
use super::medium::{AnySource, Medium, entries, find_in, open};
use crate::cli::{Format, InspectVariables};
use crate::failure::Failure;
use crate::media_layout::VARIABLES;
use crate::probe::FileSource;
use crate::progress::print_line;

/// Prints `name=value` lines. They leave the machine's memory in the clear: that is the request.
pub(super) fn run(arguments: &InspectVariables, format: Format) -> Result<(), Failure> {
    let bytes = encrypted(&arguments.file)?;
    let password = arguments.password_env.as_deref().map(from_environment).transpose()?;
    let variables = decrypt(&bytes, password.as_deref()).map_err(|error| {
        let failure = Failure::build(error.to_string());
        match password {
            None => failure.help("media with a password need --password-env NAME"),
            Some(_) => failure,
        }
    })?;
    for (name, value) in variables {
        match format {
            Format::Json => print_line(&json!({ "name": name, "value": value }).to_string()),
            Format::Text => print_line(&format!("{name}={value}")),
        }
    }
    Ok(())
}

fn from_environment(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| Failure::usage(format!("`{name}` is not set")))
}

/// The first bytes of an encrypted list.
const ENVELOPE_MAGIC: [u8; 4] = [0x00, 0x00, 0xed, 0xec];

/// The file itself, or the one in the medium.
fn encrypted(path: &Path) -> Result<Vec<u8>, Failure> {
    if begins_with_magic(path) {
        return std::fs::read(path).map_err(|error| Failure::io("read", path, &error));
    }
    let (medium, source) = open(path)?;
    let mut bytes = Vec::new();
    match &medium {
        Medium::Wim(wim) => wim_file(wim, &source, VARIABLES, None, &mut bytes)?,
        Medium::Disc(disc) => listed(&entries(disc, &source)?, &source, &mut bytes)?,
        Medium::Disk(disk) => listed(&disk.entries(&source)?, &source, &mut bytes)?,
    }
    Ok(bytes)
}

/// The list of a disc, or of a disk's volumes.
fn listed(entries: &[Entry], source: &AnySource, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let entry = find_in(entries, VARIABLES)?;
    pour(&mut FileReader::new(source, entry), bytes)
}

fn begins_with_magic(path: &Path) -> bool {
    let Ok(file) = FileSource::open(path) else { return false };
    let mut magic = [0; 4];
    file.read_exact_at(0, &mut magic).is_ok() && magic == ENVELOPE_MAGIC
}
