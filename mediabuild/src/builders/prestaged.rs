//! `prestaged`: OS image, boot image, boot files, variables and packages → one WIM with one image,
//! which is applied to a disk.

use mediabuild_store::Output;
use serde::Serialize;
use serde_json::{Value, json};

use super::coding::CodingRequest;
use super::delivery::Delivery;
use super::wim_content::ImageChoice;
use super::wim_edit::WimEdit;
use super::{BuildContext, Builder, BuilderVersion, content_input, files_of, input_of};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::media_layout::{BOOT_WIM, PRESTAGED_BOOT_SDI, VARIABLES};
use crate::schedule::Tokens;

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "prestaged", version: 4 };

/// A prestaged medium.
#[derive(Serialize)]
pub(crate) struct Prestaged {
    pub(crate) name: String,
    /// The folder of packages in the image.
    pub(crate) packages: String,
    pub(crate) epoch_seconds: i64,
    /// How its resources are stored.
    pub(crate) coding: CodingRequest,
    /// In which files it comes.
    pub(crate) delivery: Delivery,
}

impl Builder for Prestaged {
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
        let os_image = input_of(inputs, "os-image")?;
        let mut edit = WimEdit::of_wim(context, os_image, &ImageChoice::Only, self.epoch_seconds)?;
        if let Some(files) = inputs.get("boot-files") {
            let files = files_of(context, "boot-files", files)?;
            edit.add_all(context, "", &files)?;
            let sdi = files.iter().find(|(path, _)| path.eq_ignore_ascii_case("boot/boot.sdi"));
            if let Some((_, sdi)) = sdi {
                edit.add(context, PRESTAGED_BOOT_SDI, sdi)?;
            }
        }
        edit.add(context, BOOT_WIM, &content_input(inputs, "boot-image")?)?;
        edit.add(context, VARIABLES, &content_input(inputs, "variables")?)?;
        for (name, package) in inputs.under("package/") {
            let folder = format!("{}/{name}", self.packages);
            edit.add_all(context, &folder, &files_of(context, name, package)?)?;
        }
        edit.xml.set_text_in_order("NAME", &self.name);
        edit.finish(context, 0, &self.coding, &self.delivery)
    }
}
