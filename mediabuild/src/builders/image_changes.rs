//! What a definition changes in a finished image: what is left out, its XML data, and attributes,
//! short names and security of single paths.

use mediabuild_formats::security::Descriptor;
use mediabuild_formats::wim::{
    ImageInformation, ImageLanguages, ImageText, ImageVersion, Pattern, WimScript, attribute,
};
use serde::Serialize;

use super::BuildContext;
use super::wim_edit::{WimEdit, read_content};
use crate::derivation::Inputs;
use crate::failure::Failure;

/// All changes of one image, as the derivation's identity has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ImageChanges {
    /// Patterns of what is left out. Files with more of them are inputs, `exclusions/`.
    pub(crate) exclude: Vec<String>,
    /// Elements of the XML data and their texts.
    pub(crate) texts: Vec<(&'static str, String)>,
    /// Major, minor, build and revision.
    pub(crate) version: Option<[u32; 4]>,
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

/// A `WimScript.ini` has a page.
const SCRIPT_LIMIT_BYTES: u64 = 1 << 20;

impl ImageChanges {
    /// Makes the changes, when all files are in the image.
    pub(crate) fn apply(
        &self,
        edit: &mut WimEdit,
        inputs: &Inputs,
        context: &BuildContext<'_>,
    ) -> Result<(), Failure> {
        let script = self.script(inputs, context)?;
        for path in edit.image.exclude(&script) {
            tracing::debug!("left out: {path}");
        }
        self.information().apply_to(&mut edit.xml);
        self.settings.iter().try_for_each(|(path, setting)| setting.set(path, edit))
    }

    /// All that says what is left out.
    fn script(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<WimScript, Failure> {
        let mut script = WimScript::default();
        for pattern in &self.exclude {
            script.exclusions.push(Pattern::parse(pattern).map_err(Failure::build)?);
        }
        for (_, file) in inputs.under("exclusions/") {
            let content = super::content_of("exclusions", Some(file))?;
            let bytes = read_content(context, &content, "exclusions", SCRIPT_LIMIT_BYTES)?;
            script.extend(WimScript::decode(&bytes)?);
        }
        Ok(script)
    }

    fn information(&self) -> ImageInformation {
        let text = |(path, text): &(&'static str, String)| {
            let field = ImageText::ALL.into_iter().find(|field| field.path() == *path)?;
            Some((field, text.clone()))
        };
        let version = self.version.map(|[major, minor, build, revision]| ImageVersion {
            numbers: [major, minor, build],
            service_pack_build: Some(revision),
            service_pack_level: None,
            branch: None,
        });
        let languages = self.languages.clone().map(|Languages { all, default }| ImageLanguages {
            all,
            fallbacks: Vec::new(),
            default: Some(default),
        });
        ImageInformation {
            texts: self.texts.iter().filter_map(text).collect(),
            languages,
            version,
            ..ImageInformation::default()
        }
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
