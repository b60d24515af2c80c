//! `boot-files`: what starts Windows PE from a medium → a directory laid out like the medium.
//! Taken from the boot image's own `Windows/Boot`, from folders and from discs, searched in order. A boot
//! configuration store that nobody has is made; one that somebody has is never replaced.

use std::collections::BTreeMap;

use mediabuild_formats::bcd;
use mediabuild_formats::volume::Entry;
use mediabuild_formats::wim::{Dentry, FileTime};
use mediabuild_store::{Batch, Content, DirectoryBuilder, Output};
use serde::Serialize;
use serde_json::{Value, json};

use super::boot_signers::{self, BootSigner};
use super::iso_content::IsoContent;
use super::wim_content::{ImageChoice, WimContent};
use super::{BuildContext, Builder, BuilderVersion, content_input, files_of, input_of};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::media_layout::{
    BootFile, Firmware, SET_SUFFIX, boot_files, foreign_loaders, made_stores, uefi_loader,
};

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "boot-files", version: 2 };

/// Nothing reads when a store was written, and equal stores are to be equal bytes.
const STORE_WRITTEN: FileTime = FileTime(0);
/// Boot files have a few megabytes; a disc may claim anything.
const DISC_FILE_MAX_BYTES: u64 = 256 << 20;

/// The boot files of one boot image's media.
#[derive(Serialize)]
pub(crate) struct BootFiles {
    pub(crate) arch: String,
    /// Searched in order: for a path, the first that has it wins.
    pub(crate) origins: Vec<BootFilesOrigin>,
    /// Whose signature every UEFI boot manager has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signer: Option<BootSigner>,
}

/// One place.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BootFilesOrigin {
    /// The boot image itself.
    Image,
    /// The folder that is input `folder/N`.
    Folder(usize),
    /// The medium that is input `iso/N`.
    Disc(usize),
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
        let table = boot_files(&self.arch, BootSigner::set(self.signer));
        for origin in &self.origins {
            let files = self.files(*origin, inputs, &table, context, batch.as_mut())?;
            found.add_place(files, &table, &self.arch)?;
        }
        self.refuse_foreign(&found)?;
        let programs = found.files.values().map(|(path, content)| (path.as_str(), content));
        let el_torito =
            inputs.get("el-torito/uefi").map(|_| content_input(inputs, "el-torito/uefi"));
        boot_signers::check(programs, el_torito.transpose()?, &self.arch, self.signer, context)?;
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

impl BootFiles {
    /// What a place has, by paths on the medium.
    fn files(
        &self,
        origin: BootFilesOrigin,
        inputs: &Inputs,
        table: &[BootFile],
        context: &BuildContext<'_>,
        batch: &mut dyn Batch,
    ) -> Result<Vec<(String, Content)>, Failure> {
        match origin {
            BootFilesOrigin::Folder(at) => {
                let role = format!("folder/{at}");
                let folder = inputs.get(&role).ok_or_else(|| Failure::build("no such folder"))?;
                files_of(context, &role, folder)
            }
            BootFilesOrigin::Disc(at) => {
                from_disc(&content_input(inputs, &format!("iso/{at}"))?, context, batch)
            }
            BootFilesOrigin::Image => {
                let image = WimContent::open(context, input_of(inputs, "boot-image")?)?;
                from_image(table, &image, context, batch)
            }
        }
    }

    /// UEFI firmware of all architectures reads one store, which names one loader.
    fn refuse_foreign(&self, found: &Found<Content>) -> Result<(), Failure> {
        let arch = &self.arch;
        match foreign_loaders(arch).find(|(_, loader)| found.has(loader)) {
            None => Ok(()),
            Some((other, loader)) => {
                Err(Failure::build(format!("`{loader}` is for {other}, the boot image for {arch}"))
                    .help(ONE_ARCHITECTURE))
            }
        }
    }
}

/// Why, and what to do.
pub(crate) const ONE_ARCHITECTURE: &str = "a medium starts one architecture by UEFI, for all read the same \
                                           `efi/microsoft/boot/bcd`: take boot files from a place without that one";

/// Files by path, ignoring case; the first one of a path stays. `C` is what is known of a file.
pub(crate) struct Found<C> {
    pub(crate) files: BTreeMap<String, (String, C)>,
    /// How folders are spelt, by their paths in lower case.
    folders: BTreeMap<String, String>,
    /// Whether a place had the set.
    has_set: bool,
}

impl<C> Default for Found<C> {
    fn default() -> Self {
        Found { files: BTreeMap::new(), folders: BTreeMap::new(), has_set: false }
    }
}

impl<C> Found<C> {
    /// Adds what a place has. Files of a set are taken where the set's loader is, or not at all.
    fn add_place(
        &mut self,
        files: Vec<(String, C)>,
        table: &[BootFile],
        arch: &str,
    ) -> Result<(), Failure> {
        let of_set: Vec<&BootFile> = table.iter().filter(|row| row.is_of_set).collect();
        let has = |row: &BootFile| files.iter().any(|(path, _)| row.is_at(path));
        let is_owner = of_set.iter().any(|row| row.medium == uefi_loader(arch) && has(row));
        let takes_set = is_owner && !self.has_set;
        if takes_set && let Some(missing) = of_set.iter().find(|row| !has(row)) {
            let message = format!(
                "a place has `{}` of the 2023 set, and no `{}`",
                uefi_loader(arch),
                missing.medium
            );
            return Err(Failure::build(message).help("the set is taken whole from one place"));
        }
        self.has_set |= takes_set;
        let taken = |path: &str| takes_set || !of_set.iter().any(|row| row.is_at(path));
        self.add_all(files.into_iter().filter(|(path, _)| taken(path)).collect());
        Ok(())
    }

    /// Adds all files of a place.
    pub(crate) fn add_all(&mut self, files: Vec<(String, C)>) {
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
fn add_stores(
    arch: &str,
    found: &mut Found<Content>,
    batch: &mut dyn Batch,
) -> Result<(), Failure> {
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

/// Whether a file of a medium, in any case, is one that starts it.
pub(crate) fn is_boot_path(path: &str) -> bool {
    let path = path.to_lowercase();
    path == "bootmgr"
        || path == "bootmgr.efi"
        || path.starts_with("boot/")
        || path.starts_with("efi/")
}

/// What starts a disc, among its entries.
pub(crate) fn taken_of_disc(entries: &[Entry]) -> Result<Vec<&Entry>, Failure> {
    let is_boot_file =
        |entry: &&Entry| !entry.is_directory && entry.link.is_none() && is_boot_path(&entry.path);
    let files: Vec<&Entry> = entries.iter().filter(is_boot_file).collect();
    match files.iter().find(|entry| entry.size_bytes > DISC_FILE_MAX_BYTES) {
        None => Ok(files),
        Some(Entry { path, size_bytes, .. }) => Err(Failure::build(format!(
            "`{path}` on the disc has {size_bytes} bytes: that is no boot file"
        ))),
    }
}

/// What starts a disc, in place.
fn from_disc(
    content: &Content,
    context: &BuildContext<'_>,
    batch: &mut dyn Batch,
) -> Result<Vec<(String, Content)>, Failure> {
    let iso = IsoContent::open(context, content)?;
    let files = taken_of_disc(&iso.entries)?;
    let contents = iso.contents(&files, context.sha1, context, batch)?;
    Ok(files.iter().map(|entry| entry.path.clone()).zip(contents).collect())
}

fn from_image(
    table: &[BootFile],
    wim: &WimContent,
    context: &BuildContext<'_>,
    batch: &mut dyn Batch,
) -> Result<Vec<(String, Content)>, Failure> {
    let image = wim.image(wim.index(&ImageChoice::Only)?)?;
    let mut files = Vec::new();
    for file in table {
        for (path, dentry) in find(&image, file) {
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
                let name = |child: &Dentry| medium_name(&child.name.to_string(), file);
                return files.map(|child| (format!("{medium}/{}", name(child)), child)).collect();
            }
            _ => {
                let Some(dentry) = image.lookup(candidate) else { continue };
                return vec![(file.medium.to_owned(), dentry)];
            }
        }
    }
    Vec::new()
}

/// A file's name on the medium: there a set's names have no suffix.
fn medium_name(name: &str, file: &BootFile) -> String {
    let stem_and_extension = name.rsplit_once('.').filter(|_| file.is_of_set);
    let plain = stem_and_extension.and_then(|(stem, extension)| {
        let at = stem.len().checked_sub(SET_SUFFIX.len())?;
        let suffix = stem.get(at..)?;
        suffix.eq_ignore_ascii_case(SET_SUFFIX).then(|| format!("{}.{extension}", &stem[..at]))
    });
    plain.unwrap_or_else(|| name.to_owned())
}
