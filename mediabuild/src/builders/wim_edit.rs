//! An image being edited: files laid over a base.

use std::collections::{BTreeMap, BTreeSet};

use mediabuild_formats::wim::{Element, FileSpec, FileTime, Image, Sha1};
use mediabuild_store::{Content, Output};

use super::BuildContext;
use super::sha1::{sha1_of, sha1s_of};
use super::wim_content::{ImageChoice, WimContent};
use crate::failure::Failure;

/// One image with the contents it names.
pub(crate) struct WimEdit {
    pub(crate) image: Image,
    pub(crate) xml: Element,
    base: Option<WimContent>,
    added: BTreeMap<Sha1, Content>,
    /// What each layer brought: paths and blobs, also those that a later one replaced. The base is the
    /// first.
    layers: Vec<Vec<(String, Sha1)>>,
    time: FileTime,
}

impl WimEdit {
    /// Starts from an image of a WIM.
    pub(crate) fn of_wim(
        context: &BuildContext<'_>,
        base: &Output,
        choice: &ImageChoice,
        epoch_seconds: i64,
    ) -> Result<Self, Failure> {
        let base = WimContent::open(context, base)?;
        let index = base.index(choice)?;
        let image = base.image(index)?;
        let xml = base.wim.xml.image(index).cloned().unwrap_or_else(|| Element::new("IMAGE"));
        let time = FileTime::from_unix_seconds(epoch_seconds);
        let layers = vec![files_of_image(&image)];
        Ok(WimEdit { image, xml, base: Some(base), added: BTreeMap::new(), layers, time })
    }

    /// Starts from nothing.
    pub(crate) fn empty(epoch_seconds: i64) -> Self {
        let time = FileTime::from_unix_seconds(epoch_seconds);
        let xml = Element::new("IMAGE");
        let (image, added, layers) = (Image::new(time), BTreeMap::new(), vec![Vec::new()]);
        WimEdit { image, xml, base: None, added, layers, time }
    }

    /// Starts from what an image definition names as its base.
    pub(crate) fn of_base(
        context: &BuildContext<'_>,
        base: &Output,
        choice: Option<&ImageChoice>,
        epoch_seconds: i64,
    ) -> Result<Self, Failure> {
        match (base, choice) {
            (base, Some(choice)) => Self::of_wim(context, base, choice, epoch_seconds),
            (base, None) => {
                let mut edit = Self::empty(epoch_seconds);
                edit.add_all(context, "", &super::files_of(context, "base", base)?)?;
                Ok(edit)
            }
        }
    }

    pub(crate) fn base(&self) -> Option<&WimContent> {
        self.base.as_ref()
    }

    /// Lays files over the image, below `folder`; existing ones are replaced.
    pub(crate) fn add_all(
        &mut self,
        context: &BuildContext<'_>,
        folder: &str,
        files: &[(String, Content)],
    ) -> Result<(), Failure> {
        let contents: Vec<Content> = files.iter().map(|(_, content)| *content).collect();
        let sha1s = sha1s_of(&contents, context)?;
        let mut specs = Vec::with_capacity(files.len());
        self.layers.push(Vec::new());
        for ((path, content), sha1) in files.iter().zip(sha1s) {
            let path = if folder.is_empty() { path.clone() } else { format!("{folder}/{path}") };
            specs.push((path.clone(), self.spec(path, content, sha1)?));
        }
        self.image.insert_files(specs).map_err(|error| cannot_put(&error))
    }

    /// Lays one file over the image.
    pub(crate) fn add(
        &mut self,
        context: &BuildContext<'_>,
        path: &str,
        content: &Content,
    ) -> Result<(), Failure> {
        let spec = self.spec(path.to_owned(), content, sha1_of(content, context)?)?;
        self.image.insert_file(path, spec).map_err(|error| cannot_put(&error))
    }

    /// A content as a file of the image, and remembered as one.
    fn spec(
        &mut self,
        path: String,
        content: &Content,
        sha1: [u8; 20],
    ) -> Result<FileSpec, Failure> {
        if content.size_bytes == 0 {
            return Ok(FileSpec::new(Sha1::ZERO, self.time));
        }
        let sha1 = Sha1(sha1);
        self.check_collision(&sha1, content)?;
        self.added.entry(sha1).or_insert(*content);
        self.layers.last_mut().expect("the base is one").push((path, sha1));
        Ok(FileSpec::new(sha1, self.time))
    }

    /// Lays a generated file over the image.
    pub(crate) fn add_bytes(
        &mut self,
        context: &BuildContext<'_>,
        path: &str,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        self.add(context, path, &context.put_bytes(bytes)?)
    }

    /// A small file's bytes, wherever its content is; an error if it has more than `limit_bytes`.
    pub(crate) fn read(
        &self,
        context: &BuildContext<'_>,
        path: &str,
        limit_bytes: u64,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let Some(dentry) = self.image.lookup(path) else { return Ok(None) };
        match (self.added.get(&dentry.data), &self.base) {
            (Some(content), _) => read_content(context, content, path, limit_bytes).map(Some),
            (None, Some(base)) => base.read(&dentry.data, limit_bytes).map(Some),
            (None, None) => Ok(Some(Vec::new())),
        }
    }

    /// Equal SHA-1 with unequal BLAKE3 is an attack or a broken disk, never a coincidence.
    fn check_collision(&self, sha1: &Sha1, content: &Content) -> Result<(), Failure> {
        let known = match (self.added.get(sha1), &self.base) {
            (Some(known), _) => known.digest,
            (None, Some(base)) if base.wim.blob(sha1).is_some() => base.digest(sha1)?,
            _ => return Ok(()),
        };
        if known == content.digest {
            return Ok(());
        }
        Err(Failure::build(format!(
            "two different contents have the SHA-1 {sha1} (BLAKE3 {known} and {})",
            content.digest
        ))
        .help("one of them was forged: find out which file it is"))
    }

    /// The blobs that files of the image refer to, each once, in the order of the tree.
    pub(super) fn blobs(&self) -> Vec<Sha1> {
        let (mut seen, mut blobs) = (BTreeSet::new(), Vec::new());
        let mut walk = self.image.walk();
        while let Some((_, dentry)) = walk.next_in_place() {
            blobs.extend(dentry.blobs().filter(|sha1| seen.insert(*sha1)));
        }
        blobs
    }

    /// The blobs of each layer, each once, similar files beside each other: by extension, name, path.
    pub(super) fn layers(&self) -> Vec<Vec<Sha1>> {
        let layers = self.layers.iter().map(|layer| {
            let mut files: Vec<(SolidOrder<'_>, Sha1)> =
                layer.iter().map(|(path, sha1)| (solid_order(path), *sha1)).collect();
            files.sort();
            let mut seen = BTreeSet::new();
            files.into_iter().map(|(_, sha1)| sha1).filter(|sha1| seen.insert(*sha1)).collect()
        });
        layers.collect()
    }

    /// The content of a blob that is not the base's.
    pub(super) fn added(&self, sha1: &Sha1) -> Option<Content> {
        self.added.get(sha1).copied()
    }

    /// The image's own times are the project's; everything else the input said of it stays.
    pub(super) fn stamp(&mut self) {
        if self.xml.text("CREATIONTIME/HIGHPART").is_none() {
            self.xml.set_time_in_order("CREATIONTIME", self.time);
        }
        self.xml.set_time_in_order("LASTMODIFICATIONTIME", self.time);
    }
}

type SolidOrder<'a> = (String, String, &'a str);

fn solid_order(path: &str) -> SolidOrder<'_> {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_owned();
    (extension, name, path)
}

/// All files of an image with their blobs.
fn files_of_image(image: &Image) -> Vec<(String, Sha1)> {
    let mut files = Vec::new();
    let mut walk = image.walk();
    while let Some((path, dentry)) = walk.next_in_place() {
        files.extend(dentry.blobs().map(|sha1| (path.to_owned(), sha1)));
    }
    files
}

/// The format's error names the path.
fn cannot_put(error: &mediabuild_formats::wim::Error) -> Failure {
    Failure::build(format!("cannot put a file into the image: {error}"))
}

pub(super) fn read_content(
    context: &BuildContext<'_>,
    content: &Content,
    path: &str,
    limit_bytes: u64,
) -> Result<Vec<u8>, Failure> {
    if content.size_bytes > limit_bytes {
        return Err(Failure::build(format!("`{path}` has more than {limit_bytes} bytes")));
    }
    context.read_whole(content)
}
