//! `Target`: what a user asked for by name, and where it goes in the result folder.

use mediabuild_schema::Definitions;
use mediabuild_schema::definition::{Kind, Media, MediaType};
use mediabuild_store::Output;

use crate::derivation::DerivationIdx;

/// What a user asked for by name.
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) derivation: DerivationIdx,
    /// Where its result goes, relative to the result folder, with `/`.
    pub(crate) result: String,
    /// Where it goes instead if it is a folder and need not be one: a set of discs.
    pub(crate) folder: Option<String>,
    /// Where it went while its definition said that it may be a set, and nothing else goes now.
    pub(crate) former: Option<String>,
}

impl Target {
    /// Where `output` goes.
    pub(crate) fn place(&self, output: &Output) -> &str {
        match (output, &self.folder) {
            (Output::Directory(_), Some(folder)) => folder,
            _ => &self.result,
        }
    }

    /// Where another output of this target may lie from an earlier build.
    pub(crate) fn other_place(&self, output: &Output) -> Option<&str> {
        match self.folder.as_deref() {
            Some(folder) if self.place(output) == folder => Some(&self.result),
            folder => folder.or(self.former.as_deref()),
        }
    }

    /// Every place that is its own.
    pub(crate) fn places(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.result.as_str()).chain(self.folder.as_deref())
    }
}

/// A medium says its own; everything else goes to a folder of its kind, so that no two collide.
pub(super) fn result_path(definitions: &Definitions, kind: Kind, name: &str) -> String {
    match (kind, definitions.media(name)) {
        (Kind::Media, Some(media)) => media_path(media),
        (Kind::OsImage, _) if is_split(definitions, name) => format!("{kind}/{name}"),
        (Kind::BootImage | Kind::OsImage, _) => format!("{kind}/{name}.wim"),
        (Kind::Variables, _) => format!("{kind}/{name}.dat"),
        _ => format!("{kind}/{name}"),
    }
}

/// Every place where a result of `definitions` lies, or may lie.
pub(crate) fn places(definitions: &Definitions) -> Vec<String> {
    let disk_images = definitions.media.iter().filter_map(|media| media.usb.as_ref());
    let mut places: Vec<String> = disk_images.map(|usb| usb.file.value.clone()).collect();
    for (kind, name) in definitions.targets() {
        places.push(result_path(definitions, kind, &name.value));
        places.extend(set_folder(definitions, kind, &name.value));
    }
    places
}

fn is_split(definitions: &Definitions, name: &str) -> bool {
    definitions.os_image(name).is_some_and(|image| image.output.is_split())
}

/// A split WIM is a folder called like its first part, without the extension; a medium without an
/// ISO is its disk image.
fn media_path(media: &Media) -> String {
    match (&media.output, &media.usb) {
        (Some(output), _) if output.wim.is_split() => output.folder().to_owned(),
        (Some(output), _) => output.file.value.clone(),
        (None, usb) => usb.as_ref().map(|usb| usb.file.value.clone()).unwrap_or_default(),
    }
}

/// What does not fit a disc is a folder; whether it does is known when it is built.
pub(super) fn set_folder(definitions: &Definitions, kind: Kind, name: &str) -> Option<String> {
    let media = definitions.media(name).filter(|_| kind == Kind::Media)?;
    let output = media.output.as_ref().filter(|output| output.capacity_bytes.is_some())?;
    Some(output.folder().to_owned())
}

/// The folder of the set that an ISO may have been, unless something else lies there.
pub(super) fn former_folder(definitions: &Definitions, kind: Kind, name: &str) -> Option<String> {
    let media = definitions.media(name).filter(|_| kind == Kind::Media)?;
    let output = media.output.as_ref()?;
    let folder = output.folder();
    let is_iso = media.media_type.value == MediaType::Bootable && !output.may_be_folder();
    let is_below = |path: &str| path.strip_prefix(folder).is_some_and(|it| it.starts_with('/'));
    let is_there = |other: &&Media| {
        let is_output = other.output.as_ref().is_some_and(|output| {
            is_below(output.folder()) || output.may_be_folder() && output.folder() == folder
        });
        is_output || other.usb.as_ref().is_some_and(|usb| is_below(&usb.file.value))
    };
    let is_free = definitions.media.iter().find(is_there).is_none();
    (is_iso && is_free).then(|| folder.to_owned())
}
