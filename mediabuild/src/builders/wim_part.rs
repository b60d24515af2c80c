//! `wim-part`: a file or folder of an image → a content or a directory, decoded where needed.

use mediabuild_formats::wim::{Dentry, Image};
use mediabuild_store::{Batch, Digest, DirectoryBuilder, Output};
use serde::Serialize;
use serde_json::{Value, json};

use super::import_folder::{Filter, Matcher};
use super::wim_content::{ImageChoice, WimContent};
use super::{BuildContext, Builder, BuilderVersion, input_of};
use crate::derivation::Inputs;
use crate::failure::Failure;

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "wim-part", version: 1 };

/// A part of an image.
#[derive(Serialize)]
pub(crate) struct WimPart {
    pub(crate) image: ImageChoice,
    /// A file or folder; the whole image if empty.
    pub(crate) path: String,
    /// Which files of a folder.
    pub(crate) filter: Filter,
}

impl Builder for WimPart {
    fn builder(&self) -> BuilderVersion {
        BUILDER
    }

    fn options(&self) -> Value {
        json!(self)
    }

    fn build(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let wim = WimContent::open(context, input_of(inputs, "wim")?)?;
        let image = wim.image(wim.index(&self.image)?)?;
        let dentry = find(&image, &self.path)?;
        let mut batch = context.store.batch()?;
        let output = if dentry.is_directory() {
            let matcher = self.filter.matcher()?;
            let files = taken(dentry, &self.path, &matcher)?;
            Output::Directory(directory(&files, &wim, context, batch.as_mut())?)
        } else {
            Output::Content(wim.decoded(&dentry.data, context, batch.as_mut())?)
        };
        batch.commit()?;
        Ok(output)
    }
}

/// The file or folder of an image that a path names.
pub(crate) fn find<'a>(image: &'a Image, path: &str) -> Result<&'a Dentry, Failure> {
    image.lookup(path).ok_or_else(|| {
        Failure::build(format!("the image has no `{path}`"))
            .help("list it: mediabuild inspect ls FILE.wim --image INDEX")
    })
}

/// What is taken of the folder `path`: files by their paths below it. Depth is bounded by the parser's
/// own limit on nesting.
pub(crate) fn taken<'a>(
    folder: &'a Dentry,
    path: &str,
    matcher: &Matcher,
) -> Result<Vec<(String, &'a Dentry)>, Failure> {
    let mut files = Vec::new();
    let mut stack = vec![(folder, String::new())];
    while let Some((folder, path)) = stack.pop() {
        for child in &folder.children {
            let name = child.name.to_string();
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            if child.has_children_list() {
                stack.push((child, path));
            } else if matcher.takes(&path) {
                refuse_link(child, &path)?;
                files.push((path, child));
            }
        }
    }
    if files.is_empty() {
        return Err(Failure::build(format!("`{path}` gives no file"))
            .help("mend the `include` and `exclude` globs"));
    }
    Ok(files)
}

fn refuse_link(file: &Dentry, path: &str) -> Result<(), Failure> {
    if file.reparse.is_none() {
        return Ok(());
    }
    let message = format!("`{path}` is a link, which a folder of content cannot hold");
    Err(Failure::build(message).help(format!("leave it out: exclude \"{path}\"")))
}

fn directory(
    files: &[(String, &Dentry)],
    wim: &WimContent,
    context: &BuildContext<'_>,
    batch: &mut dyn Batch,
) -> Result<Digest, Failure> {
    let blobs = files.iter().map(|(_, file)| file.data);
    let contents = wim.decoded_all(blobs, context, batch)?;
    let mut directory = DirectoryBuilder::default();
    for (path, file) in files {
        directory
            .insert(path, contents[&file.data])
            .map_err(|error| Failure::build(format!("`{path}`: {error}")))?;
    }
    Ok(directory.put(batch)?)
}
