//! `ValueKind`: what a value may be, one file per kind that needs more than a line.

pub(crate) mod capacity;
pub(crate) mod choice;
pub(crate) mod glob;
pub(crate) mod label;
pub(crate) mod name;
pub(crate) mod output;
pub(crate) mod path;
pub(crate) mod secret;
pub(crate) mod size;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod url;
pub(crate) mod windows;

use crate::definition::Kind;
use crate::node::Value;
use crate::problem::Problem;
use choice::Choice;

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ValueKind {
    /// Text for people or a command: not empty.
    Text,
    /// The name of a definition.
    Name,
    /// The name of a definition of that kind.
    Reference(Kind),
    /// A file or folder of the project.
    Path,
    /// `image`, or a folder of the project.
    ImageOrPath,
    /// A path inside an image.
    PathInImage,
    /// A pattern of paths below a folder.
    Glob,
    /// A pattern of definition files.
    DefinitionFiles,
    /// The file a medium is exported to.
    Output,
    /// A volume label.
    Label,
    /// The label of a FAT volume.
    FatLabel,
    /// Where a file is fetched from.
    Url,
    /// The name of a file, without a folder.
    FileName,
    /// 64 hexadecimal digits.
    Digest,
    /// One of a few words.
    Choice(&'static Choice),
    /// A number of bytes with a unit.
    Size,
    /// A disc, or how much one holds.
    Capacity,
    /// An 8.3 name.
    ShortName,
    /// A version of Windows.
    WindowsVersion,
    /// A language tag.
    Language,
    /// A pattern of `WimScript.ini`.
    Exclusion,
    /// A number from 1.
    Index,
    /// `#true` or `#false`.
    Flag,
    /// `(date-time)"…"`
    DateTime,
    /// `(secret)"…"`
    Secret,
    /// Text, or a secret.
    VariableValue,
}

impl ValueKind {
    /// What the reference says of it.
    pub(crate) fn describe(self) -> String {
        match self {
            ValueKind::Text => "text".into(),
            ValueKind::Name => "a name".into(),
            ValueKind::Reference(kind) => format!("the name of a `{kind}`"),
            ValueKind::Path => "a path".into(),
            ValueKind::ImageOrPath => "`\"image\"` or a path".into(),
            ValueKind::PathInImage => "a path in the image".into(),
            ValueKind::Glob => "a glob".into(),
            ValueKind::DefinitionFiles => "a path or glob".into(),
            ValueKind::Output => "a file name".into(),
            ValueKind::Label | ValueKind::FatLabel => "a volume label".into(),
            ValueKind::Url => "a URL".into(),
            ValueKind::FileName => "a file name".into(),
            ValueKind::Digest => "64 hexadecimal digits".into(),
            ValueKind::Choice(choice) => choice.describe(),
            ValueKind::Size => "a size".into(),
            ValueKind::Capacity => capacity::DESCRIPTION.into(),
            ValueKind::ShortName => "an 8.3 name".into(),
            ValueKind::WindowsVersion => "a version".into(),
            ValueKind::Language => "a language".into(),
            ValueKind::Exclusion => "a pattern".into(),
            ValueKind::Index => "a number from 1".into(),
            ValueKind::Flag => "`#true` or `#false`".into(),
            ValueKind::DateTime => "a `(date-time)`".into(),
            ValueKind::Secret => "a `(secret)`".into(),
            ValueKind::VariableValue => "text or a `(secret)`".into(),
        }
    }

    /// The type annotation that a value of this kind must carry, with an example.
    fn annotation(self) -> Option<(&'static str, &'static str)> {
        match self {
            ValueKind::DateTime => Some(("date-time", r#"(date-time)"2026-11-01T00:00:00Z""#)),
            ValueKind::Secret => Some(("secret", r#"(secret)"env:MEDIA_PASSWORD""#)),
            _ => None,
        }
    }

    /// Everything that can be said of `value` alone; references need [`crate::names::Names`], and
    /// so are not looked at. `file` is the definition file's name, for relative paths.
    pub(crate) fn check(self, value: Value<'_>, file: &str) -> Result<(), Problem> {
        self.check_annotation(value)?;
        match self {
            ValueKind::Index => text::index(value).map(drop),
            ValueKind::Flag => text::flag(value).map(drop),
            _ => self.check_string(text::string(value)?, value, file),
        }
    }

    fn check_string(self, string: &str, value: Value<'_>, file: &str) -> Result<(), Problem> {
        match self {
            ValueKind::Text => text::text(string),
            ValueKind::Name => name::check(string),
            ValueKind::Path => path::resolve(file, string).map(drop),
            ValueKind::ImageOrPath if string == "image" => Ok(()),
            ValueKind::ImageOrPath => path::resolve(file, string).map(drop),
            ValueKind::PathInImage => path::inside(string).map(drop),
            ValueKind::Glob => glob::check(string),
            ValueKind::DefinitionFiles => path::resolve(file, string).map(drop),
            ValueKind::Output => output::resolve(string).map(drop),
            ValueKind::Label => label::check(string),
            ValueKind::FatLabel => label::check_fat(string),
            ValueKind::Url => url::parse(string).map(drop),
            ValueKind::FileName => url::check_file_name(string),
            ValueKind::Digest => url::digest(string).map(drop),
            ValueKind::Choice(choice) => choice.check(string, value.key()),
            ValueKind::Size => size::bytes(string).map(drop),
            ValueKind::Capacity => capacity::bytes(string).map(drop),
            ValueKind::ShortName => windows::short_name(string),
            ValueKind::WindowsVersion => windows::version(string).map(drop),
            ValueKind::Language => windows::language(string),
            ValueKind::Exclusion => windows::exclusion(string),
            ValueKind::DateTime => time::seconds(string).map(drop),
            ValueKind::Secret => secret::parse(string, file).map(drop),
            ValueKind::VariableValue if value.annotation().is_some() => {
                secret::parse(string, file).map(drop)
            }
            ValueKind::VariableValue => text::characters(string),
            ValueKind::Reference(_) | ValueKind::Index | ValueKind::Flag => Ok(()),
        }
    }

    fn check_annotation(self, value: Value<'_>) -> Result<(), Problem> {
        match (self.annotation(), value.annotation()) {
            (None, None) => Ok(()),
            (None, Some("secret")) if matches!(self, ValueKind::VariableValue) => Ok(()),
            (Some((wanted, _)), Some(written)) if wanted == written => Ok(()),
            (Some((wanted, example)), _) => Err(Problem::new(
                "missing-annotation",
                "not marked",
                format!("this value must be marked as `({wanted})`"),
                format!("write it like `{example}`"),
            )),
            (None, Some(written)) => Err(Problem::new(
                "unknown-annotation",
                "marked here",
                format!("`({written})` means nothing here"),
                "leave the annotation out",
            )),
        }
    }
}
