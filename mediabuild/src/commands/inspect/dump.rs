//! `inspect dump`: everything a WIM or a boot configuration store says, one fact a line.

use mediabuild_formats::bcd;
use mediabuild_formats::wim::{Detail, dump};

use super::medium::{Medium, open_source};
use super::whole::{Whole, open_to_look};
use crate::cli::InspectDump;
use crate::failure::Failure;
use crate::progress::print_line;

/// Stores have some tens of kilobytes.
const STORE_MAX_BYTES: u64 = 16 << 20;

/// Prints the form that tests have as goldens.
pub(super) fn run(arguments: &InspectDump, verbose: bool) -> Result<(), Failure> {
    if let Some(store) = boot_store(arguments)? {
        bcd::dump(&store).lines().for_each(print_line);
        return Ok(());
    }
    let Whole { medium, source, .. } = open_to_look(&arguments.file, &arguments.references)?;
    let Medium::Wim(wim) = medium else {
        return Err(Failure::usage("only WIMs and boot configuration stores are dumped")
            .help("list it: mediabuild inspect ls"));
    };
    let detail = if verbose { Detail::Chunks } else { Detail::Files };
    dump(&wim, &source, detail).lines().for_each(print_line);
    Ok(())
}

/// The store that the file is; `None` if it is no hive.
fn boot_store(arguments: &InspectDump) -> Result<Option<bcd::Store>, Failure> {
    let source = open_source(&arguments.file)?;
    let (mut magic, size_bytes) = ([0; 4], source.size_bytes());
    if source.read_exact_at(0, &mut magic).is_err() || &magic != b"regf" {
        return Ok(None);
    }
    let name = arguments.file.display();
    if size_bytes > STORE_MAX_BYTES {
        let message = format!("`{name}` has {size_bytes} bytes: it is another hive than a BCD");
        return Err(Failure::build(message));
    }
    let mut bytes = vec![0; size_bytes as usize];
    source
        .read_exact_at(0, &mut bytes)
        .map_err(|error| Failure::build(format!("cannot read `{name}`: {error}")))?;
    let store = bcd::read(&bytes);
    store.map(Some).map_err(|error| Failure::build(format!("`{name}`: {error}")))
}
