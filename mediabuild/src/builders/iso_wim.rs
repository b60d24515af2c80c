//! `iso-wim`: a WIM in an ISO → a content, in place: a part of the ISO, its resources parts of it. A
//! split WIM → a directory of its files, in order, each such a content.

use std::path::{Path, PathBuf};

use mediabuild_formats::iso::DiscFile;
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::Entry;
use mediabuild_formats::wim::Wim;
use mediabuild_store::{Batch, Content, DirectoryBuilder, Output};
use serde::Serialize;
use serde_json::{Value, json};

use super::import_wim::{check, say_what_to_do};
use super::import_wim_set::part_name;
use super::iso_content::{IsoContent, find};
use super::sha1::Sha1Wanted;
use super::split_set::siblings;
use super::{BuildContext, Builder, BuilderVersion, content_input};
use crate::derivation::Inputs;
use crate::failure::Failure;

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "iso-wim", version: 1 };

/// A WIM in an ISO, every hash of it checked.
#[derive(Serialize)]
pub(crate) struct IsoWim {
    /// Where it is in the ISO.
    pub(crate) path: String,
}

impl Builder for IsoWim {
    fn builder(&self) -> BuilderVersion {
        BUILDER
    }

    fn options(&self) -> Value {
        json!(self)
    }

    fn build(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let iso = IsoContent::open(context, &content_input(inputs, "iso")?)?;
        let file = find(&iso.entries, &self.path)?;
        let reading = |failure: Failure| {
            say_what_to_do(failure).while_doing(format!("reading `{}`", file.path))
        };
        let files = files(&iso.source, &iso.entries, file).map_err(reading)?;
        // No WIM holds these as files. They must be there before their own parts can be.
        let mut batch = context.store.batch()?;
        let contents = iso.contents(&files, Sha1Wanted::No, context, batch.as_mut())?;
        let output = output(&contents, batch.as_mut())?;
        batch.commit()?;
        check(&output, context).map_err(reading)?;
        Ok(output)
    }
}

/// What `import` gives for the same files on disk.
fn output(contents: &[Content], batch: &mut dyn Batch) -> Result<Output, Failure> {
    if let [whole] = contents {
        return Ok(Output::Content(*whole));
    }
    let mut directory = DirectoryBuilder::default();
    for (number, part) in (1..).zip(contents) {
        directory.insert(&part_name(number), *part)?;
    }
    Ok(Output::Directory(directory.put(batch)?))
}

/// The files of a WIM on a disc: itself, or all parts of its set, part 1 first.
pub(crate) fn files<'a, S: Source>(
    disc: &S,
    entries: &'a [Entry],
    file: &'a Entry,
) -> Result<Vec<&'a Entry>, Failure> {
    let wim = Wim::open(&DiscFile::new(disc, plain(file)?))?;
    let (number, count) = (wim.header.part_number, wim.header.part_count);
    let other = |path: PathBuf| {
        let path = path.to_string_lossy();
        let found = find(entries, &path).map_err(|_| {
            Failure::build(format!("it is part {number} of {count}, and there is no `{path}`"))
                .help(
                    "the ISO must have all parts of the set in one folder, under their usual names",
                )
        });
        found.and_then(plain)
    };
    let others = siblings(Path::new(&file.path), &wim).into_iter().map(other);
    let mut files = others.collect::<Result<Vec<_>, _>>()?;
    let place = usize::from(number).saturating_sub(1).min(files.len());
    files.insert(place, file);
    Ok(files)
}

fn plain(file: &Entry) -> Result<&Entry, Failure> {
    let what = match file {
        Entry { is_directory: true, .. } => "a folder",
        Entry { link: Some(_), .. } => "a link",
        _ => return Ok(file),
    };
    Err(Failure::build(format!("`{}` is {what}, not a WIM", file.path)))
}
