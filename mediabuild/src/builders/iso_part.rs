//! `iso-part`: a file or folder of an ISO → a content or a directory, in place.

use mediabuild_formats::volume::Entry;
use mediabuild_store::{Batch, DirectoryBuilder, Output};
use serde::Serialize;
use serde_json::{Value, json};

use super::import_folder::{Filter, Matcher};
use super::iso_content::{IsoContent, find};
use super::{BuildContext, Builder, BuilderVersion, content_input};
use crate::derivation::Inputs;
use crate::failure::Failure;

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "iso-part", version: 1 };

/// A part of an ISO.
#[derive(Serialize)]
pub(crate) struct IsoPart {
    /// A file or folder; the whole ISO if empty.
    pub(crate) path: String,
    /// Which files of a folder.
    pub(crate) filter: Filter,
}

impl Builder for IsoPart {
    fn builder(&self) -> BuilderVersion {
        BUILDER
    }

    fn options(&self) -> Value {
        json!(self)
    }

    fn build(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let iso = IsoContent::open(context, &content_input(inputs, "iso")?)?;
        let mut batch = context.store.batch()?;
        let output = match self.path.as_str() {
            "" => self.folder(&iso, "", context, batch.as_mut())?,
            path => match find(&iso.entries, path)? {
                folder if folder.is_directory => {
                    self.folder(&iso, &format!("{}/", folder.path), context, batch.as_mut())?
                }
                link if link.link.is_some() => return Err(link_refused(path)),
                file => Output::Content(
                    iso.contents(&[file], context.sha1, context, batch.as_mut())?[0],
                ),
            },
        };
        batch.commit()?;
        Ok(output)
    }
}

impl IsoPart {
    /// The files below a folder, whose path ends in `/`.
    fn folder(
        &self,
        iso: &IsoContent,
        folder: &str,
        context: &BuildContext<'_>,
        batch: &mut dyn Batch,
    ) -> Result<Output, Failure> {
        let files = taken(&iso.entries, folder, &self.filter.matcher()?)?;
        let entries: Vec<&Entry> = files.iter().map(|(_, entry)| *entry).collect();
        let contents = iso.contents(&entries, context.sha1, context, batch)?;
        let mut directory = DirectoryBuilder::default();
        for ((path, _), content) in files.iter().zip(contents) {
            directory
                .insert(path, content)
                .map_err(|error| Failure::build(format!("`{path}`: {error}")))?;
        }
        Ok(Output::Directory(directory.put(batch)?))
    }
}

/// What is taken of a folder whose path ends in `/`, or of all: files by their paths below it.
pub(crate) fn taken<'a>(
    entries: &'a [Entry],
    folder: &str,
    matcher: &Matcher,
) -> Result<Vec<(&'a str, &'a Entry)>, Failure> {
    let named = |entry| relative(entry, folder).map(|path| (path, entry));
    let files = entries.iter().filter_map(named);
    let files: Vec<_> = files.filter(|(path, _)| matcher.takes(path)).collect();
    if files.is_empty() {
        return Err(Failure::build(format!("`{folder}` gives no file"))
            .help("mend the `include` and `exclude` globs"));
    }
    match files.iter().find(|(_, entry)| entry.link.is_some()) {
        Some((path, _)) => {
            Err(link_refused(path).help(format!("leave it out: exclude \"{path}\"")))
        }
        None => Ok(files),
    }
}

pub(crate) fn link_refused(path: &str) -> Failure {
    Failure::build(format!("`{path}` is a link, which no content can be"))
}

/// The path of a file below a folder.
fn relative<'a>(entry: &'a Entry, folder: &str) -> Option<&'a str> {
    entry.path.strip_prefix(folder).filter(|_| !entry.is_directory)
}
