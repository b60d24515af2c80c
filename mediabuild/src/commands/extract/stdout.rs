//! `extract --to -`: one file to stdout.

use std::io;

use mediabuild_formats::iso::FileReader;
use mediabuild_formats::wim::Wim;

use super::select::Selection;
use super::tree::{Content, File, Plan, of_disc, of_image};
use super::wim::index_of;
use crate::cli::Extract;
use crate::commands::inspect::medium::{AnySource, Medium};
use crate::commands::inspect::pour;
use crate::failure::Failure;

pub(super) fn run(
    extract: &Extract,
    medium: &Medium,
    source: &AnySource,
    selection: &Selection,
) -> Result<(), Failure> {
    let plan = match medium {
        Medium::Wim(wim) => {
            let index = index_of(wim, extract.image.as_deref())?;
            of_image(&wim.image(source, index)?, selection)
        }
        Medium::Disc(disc) => of_disc(disc, source, selection)?,
    };
    selection.check_all_found()?;
    let to = &mut io::stdout().lock();
    match (&only_file(&plan)?.content, medium) {
        (Content::Blob(sha1), _) if sha1.is_empty_stream() => Ok(()),
        (Content::Blob(sha1), Medium::Wim(wim)) => {
            let mut reader = wim.blob_reader(source, blob(wim, sha1)?)?;
            pour(&mut reader, to)
        }
        (Content::Disc(entry), _) => pour(&mut FileReader::new(source, entry), to),
        (Content::Blob(_), Medium::Disc(_)) => unreachable!("blobs are of WIMs"),
    }
}

fn blob<'a>(
    wim: &'a Wim,
    sha1: &mediabuild_formats::wim::Sha1,
) -> Result<&'a mediabuild_formats::wim::BlobEntry, Failure> {
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
