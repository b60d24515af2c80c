//! `wim-part`: a file or folder of an image → a content or a directory, decoded where needed.

use mediabuild_formats::wim::{Dentry, Sha1};
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
        let dentry = image.lookup(&self.path).ok_or_else(|| {
            Failure::build(format!("the image has no `{}`", self.path))
                .help("list it: mediabuild inspect ls FILE.wim --image INDEX")
        })?;
        let mut batch = context.store.batch()?;
        let output = if dentry.is_directory() {
            let matcher = self.filter.matcher()?;
            let mut taken = Taken { wim: &wim, context, matcher, files: Vec::new() };
            taken.folder(dentry)?;
            if taken.files.is_empty() {
                return Err(Failure::build(format!("`{}` gives no file", self.path))
                    .help("mend the `include` and `exclude` globs"));
            }
            Output::Directory(taken.directory(batch.as_mut())?)
        } else {
            Output::Content(wim.decoded(&dentry.data, context, batch.as_mut())?)
        };
        batch.commit()?;
        Ok(output)
    }
}

struct Taken<'a> {
    wim: &'a WimContent,
    context: &'a BuildContext<'a>,
    matcher: Matcher,
    /// Paths and blobs.
    files: Vec<(String, Sha1)>,
}

impl Taken<'_> {
    /// Takes a folder's files; depth is bounded by the parser's own limit on nesting.
    fn folder(&mut self, folder: &Dentry) -> Result<(), Failure> {
        let mut stack = vec![(folder, String::new())];
        while let Some((folder, path)) = stack.pop() {
            for child in &folder.children {
                let name = child.name.to_string();
                let path = if path.is_empty() { name } else { format!("{path}/{name}") };
                if child.has_children_list() {
                    stack.push((child, path));
                } else if self.matcher.takes(&path) {
                    self.file(child, path)?;
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, file: &Dentry, path: String) -> Result<(), Failure> {
        if file.reparse.is_some() {
            return Err(Failure::build(format!(
                "`{path}` is a link, which a folder of content cannot hold"
            ))
            .help(format!("leave it out: exclude \"{path}\"")));
        }
        self.files.push((path, file.data));
        Ok(())
    }

    fn directory(&self, batch: &mut dyn Batch) -> Result<Digest, Failure> {
        let blobs = self.files.iter().map(|(_, sha1)| *sha1);
        let contents = self.wim.decoded_all(blobs, self.context, batch)?;
        let mut directory = DirectoryBuilder::default();
        for (path, sha1) in &self.files {
            directory
                .insert(path, contents[sha1])
                .map_err(|error| Failure::build(format!("`{path}`: {error}")))?;
        }
        Ok(directory.put(batch)?)
    }
}
