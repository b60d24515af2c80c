//! `extract --to -`: one file to stdout.

use std::io;

use mediabuild_formats::volume::FileReader;
use mediabuild_formats::wim::{BlobEntry, Sha1, Wim};

use super::tree::{Content, File, Plan};
use crate::commands::inspect::medium::{AnySource, Medium};
use crate::commands::inspect::pour;
use crate::failure::Failure;

/// Writes the only file of a plan.
pub(super) fn run(plan: &Plan, medium: &Medium, source: &AnySource) -> Result<(), Failure> {
    let to = &mut io::stdout().lock();
    match (&only_file(plan)?.content, medium) {
        (Content::Blob(sha1), _) if sha1.is_empty_stream() => Ok(()),
        (Content::Blob(sha1), Medium::Wim(wim)) => {
            let mut reader = wim.blob_reader(source, blob(wim, sha1)?)?;
            pour(&mut reader, to)
        }
        (Content::Disc(entry), _) => pour(&mut FileReader::new(source, entry), to),
        (Content::Blob(_), Medium::Disc(_) | Medium::Disk(_)) => unreachable!("blobs are of WIMs"),
    }
}

fn blob<'a>(wim: &'a Wim, sha1: &Sha1) -> Result<&'a BlobEntry, Failure> {
    wim.blob(sha1).ok_or_else(|| Failure::build(format!("its content {sha1} is not in the file")))
}

fn only_file(plan: &Plan) -> Result<&File, Failure> {
    match &plan.files[..] {
        [file] if plan.hard_links.is_empty() => Ok(file),
        files => {
            let count = files.len() + plan.hard_links.len();
            Err(Failure::usage(format!("--to - writes one file, and {count} are meant"))
                .help("name one: mediabuild extract FILE PATH --to -"))
        }
    }
}
