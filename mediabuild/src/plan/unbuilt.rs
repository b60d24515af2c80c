//! What the language has and no builder yet: an error, never silence.

use mediabuild_schema::definition::ImageOptions;

use super::Planner;
use crate::failure::Failure;

impl Planner<'_> {
    /// An error if `options` say something that no builder does.
    pub(super) fn refuse_unbuilt_options(&self, options: &ImageOptions) -> Result<(), Failure> {
        let is_said = [
            ("exclude", !options.exclude.is_empty()),
            ("exclusions", !options.exclusions.is_empty()),
        ];
        refuse(&is_said)
    }
}

fn refuse(is_said: &[(&str, bool)]) -> Result<(), Failure> {
    match is_said.iter().find(|(_, is_said)| *is_said) {
        None => Ok(()),
        Some((what, _)) => Err(Failure::usage(format!("`{what}` is not built yet"))
            .help(format!("remove `{what}` from the definition"))),
    }
}
