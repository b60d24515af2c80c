//! `iso-wim`: a WIM in an ISO → a content, in place: a part of the ISO, its resources parts of it.

use mediabuild_store::Output;
use serde::Serialize;
use serde_json::{Value, json};

use super::import_wim::{check, say_what_to_do};
use super::iso_content::{IsoContent, find};
use super::sha1::Sha1Wanted;
use super::{BuildContext, Builder, BuilderVersion, content_input};
use crate::derivation::Inputs;
use crate::failure::Failure;

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "iso-wim", version: 1 };

/// A WIM in an ISO, every hash of it checked.
#[derive(Serialize)]
pub(crate) struct IsoWim {
    /// Where it is in the ISO.
    pub(crate) path: String,
}

impl Builder for IsoWim {
    fn builder(&self) -> BuilderVersion {
        BUILDER
    }

    fn options(&self) -> Value {
        json!(self)
    }

    fn build(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let iso = IsoContent::open(context, &content_input(inputs, "iso")?)?;
        let file = find(&iso.entries, &self.path)?;
        if file.is_directory || file.link.is_some() {
            let what = if file.is_directory { "a folder" } else { "a link" };
            return Err(Failure::build(format!("`{}` is {what}, not a WIM", file.path)));
        }
        // No WIM holds this one as a file. It must be there before its own parts can be.
        let mut batch = context.store.batch()?;
        let contents = iso.contents(&[file], Sha1Wanted::No, context, batch.as_mut())?;
        batch.commit()?;
        let output = Output::Content(contents[0]);
        check(&output, context).map_err(|failure| {
            say_what_to_do(failure).while_doing(format!("reading `{}`", file.path))
        })?;
        Ok(output)
    }
}
