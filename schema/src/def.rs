//! The table: one file per node kind, with what it may hold and how it becomes a definition.

pub(crate) mod application;
pub(crate) mod boot_files;
pub(crate) mod boot_image;
pub(crate) mod compression;
pub(crate) mod driver_package;
pub(crate) mod image;
pub(crate) mod information;
pub(crate) mod media;
pub(crate) mod os_image;
pub(crate) mod package;
pub(crate) mod path_setting;
pub(crate) mod project;
pub(crate) mod source;
pub(crate) mod usb;
pub(crate) mod variables;
pub(crate) mod wim_output;

use std::path::Path;

use crate::definition::{InputPath, SecretReference};
use crate::node::Value;
use crate::spec::NodeSpec;
use crate::text::Texts;
use crate::value::path;
use crate::value::secret::{self, Secret};

/// What a definition file may hold, in the order of the reference.
pub(crate) static DEFINITIONS: &[&NodeSpec] = &[
    &project::SPEC,
    &boot_image::SPEC,
    &os_image::SPEC,
    &driver_package::SPEC,
    &application::SPEC,
    &package::SPEC,
    &variables::SPEC,
    &media::SPEC,
];

/// Kinds of the language that are not built yet.
pub(crate) const PLANNED: &[&str] = &[
    "model",
    "task-sequence",
    "site",
    "collection",
    "deployment",
    "axis",
    "fragment",
    "windows-to-go",
];

/// The table's entry of a definition's node name.
pub(crate) fn spec(name: &str) -> Option<&'static NodeSpec> {
    DEFINITIONS.iter().copied().find(|spec| spec.name == name)
}

/// The node names of all definitions.
pub(crate) fn names() -> Vec<&'static str> {
    DEFINITIONS.iter().map(|spec| spec.name).collect()
}

/// What lowering needs besides the node.
///
/// Lowering says nothing: what is wrong was said by validation, and a node that cannot be lowered
/// gives `None`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lowering<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) texts: &'a Texts,
}

impl Lowering<'_> {
    /// The path that `value` names.
    pub(crate) fn path(self, value: Value<'_>) -> Option<InputPath> {
        let project_path = path::resolve(self.file(value), value.string()?).ok()?;
        Some(self.input(project_path, value))
    }

    /// The secret that `value` refers to.
    pub(crate) fn secret(self, value: Value<'_>) -> Option<SecretReference> {
        Some(match secret::parse(value.string()?, self.file(value)).ok()? {
            Secret::Environment(name) => SecretReference::Environment(name),
            Secret::File(path) => SecretReference::File(self.input(path, value)),
        })
    }

    fn file(&self, value: Value<'_>) -> &str {
        &self.texts.get(value.text()).name
    }

    fn input(self, project_path: String, value: Value<'_>) -> InputPath {
        let path = self.folder.join(&project_path);
        InputPath { project_path, path, span: value.span() }
    }
}
