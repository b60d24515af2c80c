//! `boot-files`: what starts Windows PE from a medium → a directory laid out like the medium.
//! Taken from the boot image's own `Windows/Boot`, from folders, or both, searched in order. A boot
//! configuration store that nobody has is made; one that somebody has is never replaced.

use std::collections::BTreeMap;

use mediabuild_formats::bcd;
use mediabuild_formats::wim::{Dentry, FileTime};
use mediabuild_store::{Batch, Content, DirectoryBuilder, Output};
use serde::Serialize;
use serde_json::{Value, json};

use super::wim_content::{ImageChoice, WimContent};
use super::{BuildContext, Builder, BuilderVersion, content_input, files_of};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::media_layout::{BootFile, Firmware, boot_files, made_stores};

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "boot-files", version: 2 };

/// Nothing reads when a store was written, and equal stores are to be equal bytes.
const STORE_WRITTEN: FileTime = FileTime(0);

/// The boot files of one boot image's media.
#[derive(Serialize)]
pub(crate) struct BootFiles {
    pub(crate) arch: String,
    /// Searched in order: for a path, the first that has it wins.
    pub(crate) origins: Vec<BootFilesOrigin>,
}

/// One place.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BootFilesOrigin {
    /// The boot image itself.
    Image,
    /// The folder that is input `folder/N`.
    Folder(usize),
}

impl Builder for BootFiles {
    fn builder(&self) -> BuilderVersion {
        BUILDER
    }

    fn options(&self) -> Value {
        json!(self)
    }

    fn build(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let mut batch = context.store.batch()?;
        let mut found = Found::default();
        for origin in &self.origins {
            match origin {
                BootFilesOrigin::Folder(at) => {
                    let role = format!("folder/{at}");
                    let folder =
                        inputs.get(&role).ok_or_else(|| Failure::build("no such folder"))?;
                    found.add_all(files_of(context, &role, folder)?);
                }
                BootFilesOrigin::Image => {
                    let image = WimContent::open(context, &content_input(inputs, "boot-image")?)?;
                    found.add_all(from_image(&self.arch, &image, context, batch.as_mut())?);
                }
            }
        }
        add_stores(&self.arch, &mut found, batch.as_mut())?;
        let mut directory = DirectoryBuilder::default();
        for (path, content) in found.files.into_values() {
            directory.insert(&path, content)?;
        }
        let digest = directory.put(batch.as_mut())?;
        batch.commit()?;
        Ok(Output::Directory(digest))
    }
}

/// Files by path, ignoring case; the first one of a path stays.
#[derive(Default)]
struct Found {
    files: BTreeMap<String, (String, Content)>,
    /// How folders are spelt, by their paths in lower case.
    folders: BTreeMap<String, String>,
}

impl Found {
    fn add_all(&mut self, files: Vec<(String, Content)>) {
        for (path, content) in files {
            let path = self.spelt(&path);
            self.files.entry(path.to_lowercase()).or_insert((path, content));
        }
    }

    /// A path with its folders spelt as they were first: places say `EFI` and `efi`.
    fn spelt(&mut self, path: &str) -> String {
        let Some((folders, name)) = path.rsplit_once('/') else { return path.to_owned() };
        let mut spelt = String::new();
        for folder in folders.split('/') {
            let here = format!("{spelt}{folder}");
            let first = self.folders.entry(here.to_lowercase()).or_insert(here);
            spelt = format!("{first}/");
        }
        spelt + name
    }

    fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }
}

/// Adds the stores that nobody has, where there is a boot manager that reads them.
fn add_stores(arch: &str, found: &mut Found, batch: &mut dyn Batch) -> Result<(), Failure> {
    for made in made_stores(arch) {
        if found.has(made.medium) || !found.has(made.boot_manager) {
            continue;
        }
        let firmware = match made.firmware {
            Firmware::Uefi => bcd::Firmware::Uefi,
            Firmware::Bios | Firmware::Both => bcd::Firmware::Bios,
        };
        let store = bcd::write(&bcd::windows_pe(firmware), STORE_WRITTEN)?;
        found.add_all(vec![(made.medium.to_owned(), batch.put_bytes(&store)?)]);
    }
    Ok(())
}

fn from_image(
    arch: &str,
    wim: &WimContent,
    context: &BuildContext<'_>,
    batch: &mut dyn Batch,
) -> Result<Vec<(String, Content)>, Failure> {
    let image = wim.image(wim.index(&ImageChoice::Only)?)?;
    let mut files = Vec::new();
    for file in boot_files(arch) {
        for (path, dentry) in find(&image, &file) {
            files.push((path, wim.decoded(&dentry.data, context, batch)?));
        }
    }
    Ok(files)
}

/// The first candidate that the image has, with its path on the medium; for a `*`, all files of
/// the first folder that the image has.
pub(crate) fn find<'a>(
    image: &'a mediabuild_formats::wim::Image,
    file: &BootFile,
) -> Vec<(String, &'a Dentry)> {
    for candidate in file.image {
        match (candidate.strip_suffix("/*"), file.medium.strip_suffix("/*")) {
            (Some(folder), Some(medium)) => {
                let Some(folder) = image.lookup(folder) else { continue };
                let files = folder.children.iter().filter(|child| !child.is_directory());
                return files.map(|child| (format!("{medium}/{}", child.name), child)).collect();
            }
            _ => {
                let Some(dentry) = image.lookup(candidate) else { continue };
                return vec![(file.medium.to_owned(), dentry)];
            }
        }
    }
    Vec::new()
}
