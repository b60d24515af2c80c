//! `SetManifest`: what a set of discs says of itself, on each disc and beside the ISOs. A form of
//! our own: no public source says what ConfigMgr writes there.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Where it lies on each disc.
pub(crate) const ON_DISC: &str = "mediabuild/set.json";
/// What the one beside the ISOs is called, which is of no disc.
pub(crate) const BESIDE: &str = "set.json";
/// The version of the form.
pub(crate) const FORM: u32 = 1;
/// No manifest is so large; a file that is called like one may be.
const SIZE_MAX_BYTES: u64 = 64 << 20;

/// The discs of a set, and what is on which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetManifest {
    pub(crate) form: u32,
    /// 32 hexadecimal digits; others if any content differs, or the disc that it lies on.
    pub(crate) set: String,
    /// Which disc this is, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disc: Option<usize>,
    /// How many there are.
    pub(crate) total: usize,
    /// The disc that is wanted next, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<SetDisc>,
    /// All of them. The first one boots.
    pub(crate) discs: Vec<SetDisc>,
    /// In the order they were declared.
    pub(crate) packages: Vec<SetPackage>,
}

/// The files of the set that a folder is, by what lies in it; none if it is no set.
pub(crate) fn files_of(folder: &Path) -> Vec<String> {
    match File::open(folder.join(BESIDE)).ok().and_then(SetManifest::read) {
        Some(manifest) => {
            let discs = manifest.discs.into_iter().map(|disc| disc.file);
            discs.chain([BESIDE.to_owned()]).collect()
        }
        None => Vec::new(),
    }
}

/// One disc.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetDisc {
    pub(crate) disc: usize,
    /// The ISO's file name.
    pub(crate) file: String,
    /// The volume label.
    pub(crate) label: String,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetPackage {
    pub(crate) name: String,
    /// The discs it lies on; more than one if no disc holds all of it.
    pub(crate) discs: Vec<usize>,
}

impl SetManifest {
    /// Reads one; `None` of what is none, or of another form.
    pub(crate) fn read(from: impl Read) -> Option<SetManifest> {
        let mut text = Vec::new();
        from.take(SIZE_MAX_BYTES).read_to_end(&mut text).ok()?;
        let manifest: SetManifest = serde_json::from_slice(&text).ok()?;
        (manifest.form == FORM).then_some(manifest)
    }

    /// Whether a package of the disc that it lies on is on others too.
    pub(crate) fn goes_on_elsewhere(&self) -> bool {
        let is_here =
            |package: &&SetPackage| self.disc.is_some_and(|disc| package.discs.contains(&disc));
        self.packages.iter().filter(is_here).any(|package| package.discs.len() > 1)
    }

    /// The text, which people may read too.
    pub(crate) fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("names and numbers");
        text + "\n"
    }

    /// The packages of a disc; one that is also on others has a `+`.
    pub(crate) fn packages_of(&self, disc: usize) -> Vec<String> {
        let here = self.packages.iter().filter(|package| package.discs.contains(&disc));
        let shown = here.map(|package| match package.discs.len() {
            1 => package.name.clone(),
            _ => format!("{}+", package.name),
        });
        shown.collect()
    }
}
