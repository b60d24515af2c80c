//! `MediumTree`: everything that lies on a bootable medium, by path; the same for every image that
//! is made of it. Knows neither a file system nor how large a disc is.

use mediabuild_store::Content;

use super::medium_id::{MEDIUM_ID, medium_id};
use super::{BuildContext, content_input, files_of};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::media_layout::{BOOT_WIM, VARIABLES};

/// What every bootable medium has, whatever its boot files are.
pub(crate) const OWN: [&str; 3] = [BOOT_WIM, VARIABLES, MEDIUM_ID];

/// Files by path. A path that is named twice is an error of the image that is made: what comes
/// first wins nothing.
pub(super) struct MediumTree {
    /// What a machine starts with: boot files, boot image, variables.
    pub(super) start: Vec<(String, Content)>,
    /// Packages in declared order, each with its files.
    pub(super) packages: Vec<MediumPackage>,
}

/// One package's files, with their whole paths.
pub(super) struct MediumPackage {
    pub(super) name: String,
    pub(super) files: Vec<(String, Content)>,
}

impl MediumTree {
    /// The inputs `boot-files`, `boot-image`, `variables` and `package/NAME`; `packages` is the
    /// folder that packages lie in.
    pub(super) fn of(
        inputs: &Inputs,
        packages: &str,
        context: &BuildContext<'_>,
    ) -> Result<Self, Failure> {
        let mut start = match inputs.get("boot-files") {
            Some(boot_files) => files_of(context, "boot-files", boot_files)?,
            None => Vec::new(),
        };
        // A folder laid out like a medium (a Windows ISO's, say) may hold a boot.wim of its own.
        start.retain(|(path, _)| !OWN.iter().any(|own| path.eq_ignore_ascii_case(own)));
        start.push((BOOT_WIM.into(), content_input(inputs, "boot-image")?));
        start.push((VARIABLES.into(), content_input(inputs, "variables")?));
        let packages = inputs.under("package/").map(|(name, package)| {
            let files = files_of(context, name, package)?.into_iter();
            let files = files.map(|(path, content)| (format!("{packages}/{name}/{path}"), content));
            Ok(MediumPackage { name: name.to_owned(), files: files.collect() })
        });
        let packages = packages.collect::<Result<_, Failure>>()?;
        let mut medium = MediumTree { start, packages };
        let id = medium_id(medium.files(), context)?;
        medium.start.push((MEDIUM_ID.into(), id));
        Ok(medium)
    }

    /// All files: what a machine starts with, then package by package.
    pub(super) fn files(&self) -> impl Iterator<Item = &(String, Content)> {
        self.start.iter().chain(self.packages.iter().flat_map(|package| &package.files))
    }
}
