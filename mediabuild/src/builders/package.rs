//! `package`: the files of a driver package, an application or a package → a directory.
//! No bytes move: the directory names contents.

use mediabuild_store::{DirectoryBuilder, Output, walk};
use serde_json::{Value, json};

use super::{BuildContext, Builder, BuilderVersion};
use crate::derivation::Inputs;
use crate::failure::Failure;

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "package", version: 1 };

/// A folder of content.
pub(crate) struct Package {
    /// The folder must hold an INF to be worth carrying.
    pub(crate) drivers: bool,
    /// The source is a single file of this name.
    pub(crate) file_name: Option<String>,
}

impl Builder for Package {
    fn builder(&self) -> BuilderVersion {
        BUILDER
    }

    fn options(&self) -> Value {
        json!({ "drivers": self.drivers, "file-name": self.file_name })
    }

    fn build(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let source = inputs.get("source").ok_or_else(|| Failure::build("no source"))?;
        let digest = match source {
            Output::Directory(digest) => *digest,
            Output::Content(content) => {
                let name = self.file_name.as_deref().unwrap_or("content");
                let mut directory = DirectoryBuilder::default();
                directory.insert(name, *content)?;
                let mut batch = context.store.batch()?;
                let digest = directory.put(batch.as_mut())?;
                batch.commit()?;
                digest
            }
        };
        if self.drivers {
            self.check_drivers(&digest, context)?;
        }
        Ok(Output::Directory(digest))
    }
}

impl Package {
    fn check_drivers(
        &self,
        digest: &mediabuild_store::Digest,
        context: &BuildContext<'_>,
    ) -> Result<(), Failure> {
        let files = walk(context.store, digest)?;
        if !files.iter().any(|(path, _)| path.to_lowercase().ends_with(".inf")) {
            (context.warn)("holds no .inf file, so no driver can be loaded from it");
        }
        Ok(())
    }
}
