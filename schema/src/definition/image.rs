//! What every kind of image can say of its WIM: compression, information, exclusions, settings of
//! single paths.

use super::{InputPath, Spanned};

/// What an image says beside its content.
#[derive(Debug, Clone, Default)]
pub struct ImageOptions {
    /// `compression "lzx" level="default"`: else that of the base.
    pub compression: Option<Spanned<Compression>>,
    /// `information { … }`: fields of the WIM's XML data.
    pub information: Information,
    /// `exclude "*.tmp"`: patterns as in `WimScript.ini`.
    pub exclude: Vec<Spanned<String>>,
    /// `exclusions "WimScript.ini"`: files with such patterns.
    pub exclusions: Vec<InputPath>,
    /// `attributes`, `short-name` and `security` of single paths, in order.
    pub settings: Vec<PathSetting>,
}

/// `compression "lzx" level="default" chunk="32KiB" solid=#false`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    /// The codec.
    pub codec: Codec,
    /// How hard it tries.
    pub level: Level,
    /// Uncompressed bytes of a chunk: what was said, or the codec's own size.
    pub chunk_bytes: u32,
    /// Many files in one resource.
    pub solid: bool,
}

/// A codec of WIM resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// `none`
    None,
    /// `xpress`
    Xpress,
    /// `lzx`
    Lzx,
    /// `lzms`
    Lzms,
}

impl Codec {
    /// The word in definitions.
    pub const fn name(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Xpress => "xpress",
            Codec::Lzx => "lzx",
            Codec::Lzms => "lzms",
        }
    }
}

/// How much time compression takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// `fast`
    Fast,
    /// `default`
    #[default]
    Default,
    /// `max`
    Max,
}

impl Level {
    /// The word in definitions.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Fast => "fast",
            Level::Default => "default",
            Level::Max => "max",
        }
    }
}

/// Fields of an image's XML data that a definition sets; the others stay as the base has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Information {
    /// Texts, in the order of the reference.
    pub texts: Vec<(InformationField, Spanned<String>)>,
    /// `languages "en-US" "de-DE" default="en-US"`
    pub languages: Option<Languages>,
    /// `version "10.0.26100.1742"`: major, minor, build, revision of the service pack.
    pub version: Option<Spanned<[u32; 4]>>,
}

/// A text in an image's XML data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InformationField {
    /// `name`
    Name,
    /// `description`
    Description,
    /// `display-name`
    DisplayName,
    /// `display-description`
    DisplayDescription,
    /// `flags`
    Flags,
    /// `edition`
    Edition,
    /// `installation-type`
    InstallationType,
    /// `product-type`
    ProductType,
    /// `product-suite`
    ProductSuite,
    /// `product-name`
    ProductName,
    /// `hal`
    Hal,
    /// `system-root`
    SystemRoot,
}

/// `languages "en-US" "de-DE" default="en-US"`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages {
    /// All of them, in order.
    pub all: Vec<Spanned<String>>,
    /// What was said, or the first one.
    pub default: Spanned<String>,
}

/// Something about one path of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathSetting {
    /// In the image, with `/`.
    pub path: Spanned<String>,
    /// What is set.
    pub setting: Setting,
}

/// What is set of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `attributes "PATH" hidden=#true`: each with whether it is set or cleared.
    Attributes(Vec<(Attribute, bool)>),
    /// `short-name "PATH" name="PROGRA~1"`
    ShortName(Spanned<String>),
    /// `security "PATH" sddl="O:BAG:SY"`
    Security(Spanned<String>),
}

/// A file attribute that a definition can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribute {
    /// `read-only`
    ReadOnly,
    /// `hidden`
    Hidden,
    /// `system`
    System,
    /// `archive`
    Archive,
    /// `not-content-indexed`
    NotContentIndexed,
}

impl Attribute {
    /// All of them.
    pub const ALL: [Attribute; 5] = [
        Attribute::ReadOnly,
        Attribute::Hidden,
        Attribute::System,
        Attribute::Archive,
        Attribute::NotContentIndexed,
    ];

    /// The word in definitions.
    pub const fn name(self) -> &'static str {
        match self {
            Attribute::ReadOnly => "read-only",
            Attribute::Hidden => "hidden",
            Attribute::System => "system",
            Attribute::Archive => "archive",
            Attribute::NotContentIndexed => "not-content-indexed",
        }
    }
}

/// `output split="3800MiB" integrity=#true`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WimOutput {
    /// `split=`: the largest size of a part.
    pub split_bytes: Option<Spanned<u64>>,
    /// `integrity=`: whether there is an integrity table.
    pub integrity: Option<Spanned<bool>>,
}

impl WimOutput {
    /// Whether it comes in parts.
    pub fn is_split(&self) -> bool {
        self.split_bytes.is_some()
    }

    /// Whether it has an integrity table.
    pub fn has_integrity(&self) -> bool {
        self.integrity.as_ref().is_some_and(|integrity| integrity.value)
    }
}
