//! `inspect dump`: everything a WIM says, one fact a line.

use mediabuild_formats::wim::{Detail, dump};

use super::medium::Medium;
use super::whole::{Whole, open_to_look};
use crate::cli::InspectDump;
use crate::failure::Failure;
use crate::progress::print_line;

/// Prints the form that tests have as goldens.
pub(super) fn run(arguments: &InspectDump, verbose: bool) -> Result<(), Failure> {
    let Whole { medium, source, .. } = open_to_look(&arguments.file, &arguments.references)?;
    let Medium::Wim(wim) = medium else {
        return Err(Failure::usage("only WIMs are dumped").help("list it: mediabuild inspect ls"));
    };
    let detail = if verbose { Detail::Chunks } else { Detail::Files };
    dump(&wim, &source, detail).lines().for_each(print_line);
    Ok(())
}
