//! `os-image`: one image of a WIM, or a folder, with overlays → a WIM with that one image.

use mediabuild_store::Output;
use serde::Serialize;
use serde_json::{Value, json};

use super::coding::CodingRequest;
use super::delivery::Delivery;
use super::image_changes::ImageChanges;
use super::wim_content::ImageChoice;
use super::wim_edit::WimEdit;
use super::{BuildContext, Builder, BuilderVersion, files_of};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::schedule::Tokens;

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "os-image", version: 4 };

/// An OS image.
#[derive(Serialize)]
pub(crate) struct OsImageRequest {
    pub(crate) name: String,
    pub(crate) arch: String,
    /// Which image of the base; `None` if the base is a folder.
    pub(crate) image: Option<ImageChoice>,
    pub(crate) epoch_seconds: i64,
    /// How its resources are stored.
    pub(crate) coding: CodingRequest,
    /// In which files it comes.
    pub(crate) delivery: Delivery,
    /// What the definition says of the finished image.
    pub(crate) changes: ImageChanges,
}

impl Builder for OsImageRequest {
    fn builder(&self) -> BuilderVersion {
        BUILDER
    }

    fn options(&self) -> Value {
        json!(self)
    }

    fn wants_sha1(&self) -> bool {
        true
    }

    fn needs(&self) -> Tokens {
        Tokens { cpu: 1, memory_mib: self.coding.memory_mib(), disk: 0 }
    }

    fn build(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let mut edit = start(inputs, context, self.image.as_ref(), self.epoch_seconds)?;
        name_if_unnamed(&mut edit, &self.name, &self.arch);
        self.changes.apply(&mut edit, inputs, context)?;
        edit.finish(context, 0, &self.coding, &self.delivery)
    }
}

/// The base with all overlays.
pub(super) fn start(
    inputs: &Inputs,
    context: &BuildContext<'_>,
    image: Option<&ImageChoice>,
    epoch_seconds: i64,
) -> Result<WimEdit, Failure> {
    let base = inputs.get("base").ok_or_else(|| Failure::build("no base"))?;
    let mut edit = WimEdit::of_base(context, base, image, epoch_seconds)?;
    for (at, overlay) in inputs.under("overlay/") {
        let files = files_of(context, &format!("overlay {at}"), overlay)?;
        edit.add_all(context, "", &files)?;
    }
    Ok(edit)
}

/// Setup and DISM want a name and an architecture; what the input says of itself stays.
pub(super) fn name_if_unnamed(edit: &mut WimEdit, name: &str, arch: &str) {
    if edit.xml.text("NAME").is_none_or(|name| name.is_empty()) {
        edit.xml.set_text_in_order("NAME", name);
    }
    if edit.xml.text("WINDOWS/ARCH").is_none() && edit.base().is_none() {
        edit.xml.set_text_in_order("WINDOWS/ARCH", arch_number(arch));
    }
}

/// PROCESSOR_ARCHITECTURE numbers, as in a WIM's XML.
fn arch_number(arch: &str) -> &'static str {
    match arch {
        "x86" => "0",
        "arm64" => "12",
        _ => "9",
    }
}
