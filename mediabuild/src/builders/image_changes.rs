//! What a definition changes in a finished image: its XML data, and attributes, short names and
//! security of single paths.

use mediabuild_formats::security::Descriptor;
use mediabuild_formats::wim::{ImageInformation, ImageLanguages, attribute};
use serde::Serialize;

use super::wim_edit::WimEdit;
use crate::failure::Failure;

/// All changes of one image, as the derivation's identity has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ImageChanges {
    /// Elements of the XML data and their texts.
    pub(crate) texts: Vec<(&'static str, String)>,
    /// All languages, the default first.
    pub(crate) languages: Option<Languages>,
    /// Paths and what is set of them, in order.
    pub(crate) settings: Vec<(String, Setting)>,
}

/// `WINDOWS/LANGUAGES`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Languages {
    pub(crate) all: Vec<String>,
    pub(crate) default: String,
}

/// Something set of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Setting {
    /// Attributes to set or clear, by their words in definitions.
    Attributes(Vec<(&'static str, bool)>),
    ShortName(String),
    /// As SDDL.
    Security(String),
}

/// The bits of the attributes that can be set.
const ATTRIBUTES: [(&str, u32); 5] = [
    ("read-only", attribute::READ_ONLY),
    ("hidden", attribute::HIDDEN),
    ("system", attribute::SYSTEM),
    ("archive", attribute::ARCHIVE),
    ("not-content-indexed", attribute::NOT_CONTENT_INDEXED),
];

/// What is wrong with a security descriptor, before anything is built.
pub(crate) fn sddl_problem(sddl: &str) -> Option<String> {
    let encoded = Descriptor::from_sddl(sddl).and_then(|descriptor| descriptor.encode());
    encoded.err().map(|error| error.to_string())
}

impl ImageChanges {
    /// Makes the changes, when all files are in the image.
    pub(crate) fn apply(&self, edit: &mut WimEdit) -> Result<(), Failure> {
        for (path, text) in &self.texts {
            edit.xml.set_text_in_order(path, text);
        }
        if let Some(languages) = &self.languages {
            languages.information().apply_to(&mut edit.xml);
        }
        self.settings.iter().try_for_each(|(path, setting)| setting.set(path, edit))
    }
}

impl Languages {
    /// What the base said of other languages than these goes, with the fallbacks for them.
    fn information(&self) -> ImageInformation {
        let languages = ImageLanguages {
            all: self.all.clone(),
            fallbacks: Vec::new(),
            default: Some(self.default.clone()),
        };
        ImageInformation { languages: Some(languages), ..ImageInformation::default() }
    }
}

impl Setting {
    fn set(&self, path: &str, edit: &mut WimEdit) -> Result<(), Failure> {
        let image = &mut edit.image;
        let done = match self {
            Setting::Attributes(attributes) => {
                let (mut set, mut cleared) = (0, 0);
                for (name, bit) in ATTRIBUTES {
                    match attributes.iter().find(|(said, _)| *said == name) {
                        Some((_, true)) => set |= bit,
                        Some((_, false)) => cleared |= bit,
                        None => {}
                    }
                }
                image.set_attributes(path, set, cleared)
            }
            Setting::ShortName(name) => image.set_short_name(path, name),
            Setting::Security(sddl) => image.set_security(path, sddl),
        };
        done.map_err(|error| {
            Failure::build(error.to_string())
                .help("list the image: mediabuild inspect ls FILE.wim --image INDEX")
        })
    }
}
