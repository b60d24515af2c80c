//! `boot-image`: base + overlays + drivers + start script → a bootable WIM with one image.

use mediabuild_formats::wim::Name;
use mediabuild_store::Output;
use serde::Serialize;
use serde_json::{Value, json};

use super::coding::CodingRequest;
use super::delivery::Delivery;
use super::image_changes::ImageChanges;
use super::os_image::{name_if_unnamed, start};
use super::start_script::{STARTNET, StartScript, WINPESHL, extend_winpeshl, runs_wpeinit};
use super::wim_content::ImageChoice;
use super::wim_edit::WimEdit;
use super::{BuildContext, Builder, BuilderVersion, files_of};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::media_layout::{SHELL_FOLDER, SHELL_PROGRAM};
use crate::schedule::Tokens;

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "boot-image", version: 3 };

/// A boot image.
#[derive(Serialize)]
pub(crate) struct BootImageRequest {
    pub(crate) name: String,
    pub(crate) arch: String,
    /// Which image of the base; `None` if the base is a folder.
    pub(crate) image: Option<ImageChoice>,
    /// Driver packages by name, each with its folder in the image.
    pub(crate) drivers: Vec<(String, String)>,
    /// The command that runs after start-up.
    pub(crate) start: Option<String>,
    pub(crate) epoch_seconds: i64,
    /// How its resources are stored.
    pub(crate) coding: CodingRequest,
    /// What the definition says of the finished image.
    pub(crate) changes: ImageChanges,
}

impl Builder for BootImageRequest {
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
        for (name, folder) in &self.drivers {
            let package = inputs.get(&format!("drivers/{name}"));
            let package =
                package.ok_or_else(|| Failure::build(format!("no driver package {name}")))?;
            edit.add_all(context, folder, &files_of(context, name, package)?)?;
        }
        self.add_start_script(&mut edit, inputs, context)?;
        name_if_unnamed(&mut edit, &self.name, &self.arch);
        self.changes.apply(&mut edit, inputs, context)?;
        edit.finish(context, 1, &self.coding, &Delivery::default())
    }
}

/// Start scripts are a few lines.
const SCRIPT_LIMIT_BYTES: u64 = 1 << 20;

impl BootImageRequest {
    /// Generates `startnet.cmd` where there is something to run, or nothing would start the PE.
    fn add_start_script(
        &self,
        edit: &mut WimEdit,
        inputs: &Inputs,
        context: &BuildContext<'_>,
    ) -> Result<(), Failure> {
        let wanted = !self.drivers.is_empty() || self.start.is_some();
        let winpeshl = edit.read(context, WINPESHL, SCRIPT_LIMIT_BYTES)?;
        let own = edit.read(context, STARTNET, SCRIPT_LIMIT_BYTES)?;
        if !wanted && (winpeshl.is_some() || own.is_some()) {
            return Ok(());
        }
        if overlays_hold(inputs, context, STARTNET)? {
            return self.keep_users_script(context);
        }
        let folders: Vec<String> = self.drivers.iter().map(|(_, folder)| folder.clone()).collect();
        let script = StartScript {
            driver_folders: &folders,
            // Where there is a winpeshl.ini, the image's startnet.cmd did not run, and must not now.
            own: if winpeshl.is_some() { &[] } else { own.as_deref().unwrap_or_default() },
            wpeinit: winpeshl.as_deref().is_none_or(|ini| !has_shell(edit) && !runs_wpeinit(ini)),
            start: self.start.as_deref(),
        };
        edit.add_bytes(context, STARTNET, &script.render())?;
        if let Some(ini) = winpeshl {
            edit.add_bytes(context, WINPESHL, &extend_winpeshl(&ini)?)?;
        }
        Ok(())
    }

    /// An overlay brought its own `startnet.cmd`: never replaced, and never contradicted silently.
    fn keep_users_script(&self, context: &BuildContext<'_>) -> Result<(), Failure> {
        if self.start.is_some() {
            return Err(Failure::build(format!(
                "an overlay holds `{STARTNET}`, and `start` says another command"
            ))
            .help("remove `start`, or the file from the overlay"));
        }
        (context.warn)(&format!(
            "an overlay holds `{STARTNET}`, so none is generated: it must load the drivers itself"
        ));
        Ok(())
    }
}

/// Whether a task-sequence shell, which runs `wpeinit` itself, is in the image.
fn has_shell(edit: &WimEdit) -> bool {
    let program = Name::from(SHELL_PROGRAM);
    let folders = edit.image.lookup(SHELL_FOLDER).map_or(&[][..], |bin| &bin.children);
    folders.iter().any(|folder| folder.child(&program).is_some())
}

fn overlays_hold(inputs: &Inputs, context: &BuildContext<'_>, path: &str) -> Result<bool, Failure> {
    for (at, overlay) in inputs.under("overlay/") {
        let files = files_of(context, at, overlay)?;
        if files.iter().any(|(name, _)| name.eq_ignore_ascii_case(path)) {
            return Ok(true);
        }
    }
    Ok(false)
}
