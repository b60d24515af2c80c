//! `mediabuild inspect`: a look into any WIM or ISO. Reads formats, never the store.

mod cat;
pub(crate) mod disk;
mod dump;
mod info;
mod ls;
pub(super) mod medium;
pub(super) mod signers;
mod variables;
pub(super) mod whole;

use mediabuild_formats::wim::{Image, Wim};

pub(super) use self::cat::pour;
use self::medium::AnySource;
use crate::cli::{Format, Inspect};
use crate::failure::Failure;

/// Runs one of its verbs.
pub(super) fn run(inspect: &Inspect, format: Format, verbose: bool) -> Result<(), Failure> {
    match inspect {
        Inspect::Info(info) => info::run(info, format),
        Inspect::Ls(ls) => ls::run(ls, format),
        Inspect::Cat(cat) => cat::run(cat),
        Inspect::Dump(dump) => dump::run(dump, verbose),
        Inspect::Signers(signers) => signers::run(signers, format),
        Inspect::Variables(variables) => variables::run(variables, format),
    }
}

/// The image that is meant, or the boot image, or the first one.
fn image(wim: &Wim, source: &AnySource, index: Option<u32>) -> Result<Image, Failure> {
    let index = index.unwrap_or(1);
    Ok(wim.image(source, index as usize)?)
}
