//! What lies on a medium, and fits no single disc → a folder of ISOs, each with a manifest.

use std::collections::BTreeMap;

use mediabuild_formats::iso::{
    Options, SetError, SetFile, SetRequest, Share, Tree, distribute, write,
};
use mediabuild_store::{Content, Digest, DirectoryBuilder, Output, RecipeBuilder};
use serde::Serialize;

use super::BuildContext;
use super::bootable::volume_set_id;
use super::medium_tree::MediumTree;
use super::wim_output::RecipeSink;
use crate::failure::Failure;
use crate::set_manifest::{BESIDE, FORM, ON_DISC, SetDisc, SetManifest, SetPackage};

/// What a definition says of a set, as the derivation's identity has it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct DiscSet {
    /// The most bytes of an ISO.
    pub(crate) capacity_bytes: u64,
    /// The ISOs are called `NAME.1.iso` and so on.
    pub(crate) name: String,
}

/// Room is kept for manifests in steps of this, so that a longer name moves no package.
const MANIFEST_STEP_BYTES: u64 = 16 << 10;
/// ISO 9660's volume id has no more, and no label may be cut.
const LABEL_MAX_UNITS: usize = 32;

/// A set under construction.
struct Set<'a> {
    request: &'a DiscSet,
    /// What the first disc is told.
    first: &'a Options<Content>,
    /// What the others are: they do not boot.
    others: Options<Content>,
    start: Vec<SetFile<Content>>,
    units: Vec<Vec<SetFile<Content>>>,
    names: Vec<&'a str>,
    /// Differs when any content, path or the label differs.
    content_id: [u8; 8],
}

impl DiscSet {
    /// Stores the ISOs' recipes and the folder of them.
    pub(super) fn put(
        &self,
        medium: &MediumTree,
        first: &Options<Content>,
        context: &BuildContext<'_>,
    ) -> Result<Output, Failure> {
        let packages = || medium.packages.iter();
        let set = Set {
            request: self,
            first,
            others: Options { bios: None, uefi: None, ..first.clone() },
            start: set_files(&medium.start),
            units: packages().map(|package| set_files(&package.files)).collect(),
            names: packages().map(|package| package.name.as_str()).collect(),
            content_id: volume_set_id(&first.label, medium.files()),
        };
        set.put(context)
    }
}

impl Set<'_> {
    fn put(&self, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let (shares, manifest) = self.distributed()?;
        let mut folder = DirectoryBuilder::default();
        for (disc, shares) in manifest.discs.iter().zip(&shares) {
            folder.insert(&disc.file, self.put_disc(disc, shares, &manifest, context)?)?;
        }
        folder.insert(BESIDE, context.put_bytes(manifest.text().as_bytes())?)?;
        let mut batch = context.store.batch()?;
        let digest = folder.put(batch.as_mut())?;
        batch.commit()?;
        Ok(Output::Directory(digest))
    }

    /// What is where. The manifest says it, and takes room itself: so the room is made larger until
    /// it is enough, which it is after a round or two.
    fn distributed(&self) -> Result<(Vec<Vec<Share>>, SetManifest), Failure> {
        let mut room_bytes = MANIFEST_STEP_BYTES;
        loop {
            let content = Content { digest: Digest::of(b""), size_bytes: room_bytes };
            let every = [SetFile { path: ON_DISC.into(), content, size_bytes: room_bytes }];
            let shares = distribute(&SetRequest {
                start: &self.start,
                every: &every,
                units: &self.units,
                capacity_bytes: self.request.capacity_bytes,
                first: self.first,
                others: &self.others,
            });
            let shares = shares.map_err(way_out)?;
            let manifest = self.manifest(&shares);
            let discs = manifest.discs.iter();
            let longest = discs.map(|disc| on_disc(&manifest, disc.disc).text().len()).max();
            let needed_bytes = longest.unwrap_or(0) as u64;
            if needed_bytes <= room_bytes {
                return Ok((shares, manifest));
            }
            room_bytes = needed_bytes.next_multiple_of(MANIFEST_STEP_BYTES);
        }
    }

    fn manifest(&self, shares: &[Vec<Share>]) -> SetManifest {
        let discs = (1..=shares.len()).map(|disc| SetDisc {
            disc,
            file: format!("{}.{disc}.iso", self.request.name),
            label: label(&self.first.label, disc),
        });
        let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (disc, shares) in (1..).zip(shares) {
            shares.iter().for_each(|share| places.entry(share.unit).or_default().push(disc));
        }
        let packages = self.names.iter().enumerate().map(|(unit, name)| SetPackage {
            name: (*name).to_owned(),
            discs: places.remove(&unit).unwrap_or_default(),
        });
        SetManifest {
            form: FORM,
            set: self.id(shares),
            disc: None,
            total: shares.len(),
            next: None,
            packages: packages.collect(),
            discs: discs.collect(),
        }
    }

    /// Differs when any content does, or the disc that it lies on: discs of two sets of one id can
    /// stand for each other.
    fn id(&self, shares: &[Vec<Share>]) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("mediabuild 2026-11 disc set");
        hasher.update(&self.content_id);
        for (disc, shares) in shares.iter().enumerate() {
            for Share { unit, files } in shares {
                for number in [disc, *unit, files.start, files.end] {
                    hasher.update(&(number as u64).to_le_bytes());
                }
            }
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }

    fn put_disc(
        &self,
        disc: &SetDisc,
        shares: &[Share],
        manifest: &SetManifest,
        context: &BuildContext<'_>,
    ) -> Result<Content, Failure> {
        let manifest = context.put_bytes(on_disc(manifest, disc.disc).text().as_bytes())?;
        let (start, options) = match disc.disc {
            1 => (self.start.as_slice(), self.first),
            _ => (&[] as &[_], &self.others),
        };
        let shared = shares.iter().flat_map(|share| &self.units[share.unit][share.files.clone()]);
        let files = start.iter().chain(shared).map(|file| (file.path.clone(), file.content));
        let files: Vec<_> = files.chain([(ON_DISC.to_owned(), manifest)]).collect();
        let mut tree = Tree::new();
        for (path, content) in &files {
            tree.insert(path, *content, content.size_bytes)?;
        }
        let mut options = Options { label: disc.label.clone(), ..options.clone() };
        options.volume_set_id = volume_set_id(&disc.label, &files);
        let mut sink = RecipeSink(RecipeBuilder::new());
        let written = write(&tree, &options, &mut sink)?;
        assert!(written.size_bytes <= self.request.capacity_bytes, "the same code measured it");
        context.put_recipe(&sink.0.finish())
    }
}

/// The manifest of a set as one of its discs has it.
fn on_disc(manifest: &SetManifest, disc: usize) -> SetManifest {
    let next = manifest.discs.get(disc).cloned();
    SetManifest { disc: Some(disc), next, ..manifest.clone() }
}

/// `FACTORY 2`, cut before the number where it would be too long.
fn label(label: &str, disc: usize) -> String {
    let number = format!(" {disc}");
    let mut cut = String::new();
    for character in label.chars() {
        let units = cut.encode_utf16().count() + character.len_utf16() + number.len();
        if units > LABEL_MAX_UNITS {
            break;
        }
        cut.push(character);
    }
    cut.trim_end().to_owned() + &number
}

fn set_files(files: &[(String, Content)]) -> Vec<SetFile<Content>> {
    let file = |(path, content): &(String, Content)| SetFile {
        path: path.clone(),
        content: *content,
        size_bytes: content.size_bytes,
    };
    files.iter().map(file).collect()
}

fn way_out(error: SetError) -> Failure {
    let help = match &error {
        SetError::Write(_) => return error.into(),
        SetError::Start { .. } => {
            "say a larger `capacity=`, or make the boot image smaller: what a machine starts with \
             lies on the first disc"
        }
        SetError::File { path, .. } if path.to_lowercase().ends_with(".wim") => {
            "say a larger `capacity=`, such as `\"dvd-dl\"` or `\"bd\"`, or split the WIM, as \
             `output split=` of an `os-image` does"
        }
        SetError::File { .. } => {
            "say a larger `capacity=`, such as `\"dvd-dl\"` or `\"bd\"`, or divide the file with \
             the tool that made it"
        }
    };
    Failure::from(error).help(help)
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn labels_have_a_number_and_32_units() {
        assert_eq!(label("DEPOT", 2), "DEPOT 2");
        assert_eq!(label(&"X".repeat(32), 12), format!("{} 12", "X".repeat(29)));
        assert_eq!(label(&"\u{1f4bf}".repeat(16), 1), format!("{} 1", "\u{1f4bf}".repeat(15)));
    }
}
