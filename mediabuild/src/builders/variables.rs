//! `variables`: task-sequence variables → an encrypted `variables.dat`.

use mediabuild_formats::variables::{Algorithm, encrypt};
use mediabuild_store::Output;
use serde::Serialize;
use serde_json::{Value, json};

use super::{BuildContext, Builder, BuilderVersion};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::secret::Secret;

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "variables", version: 1 };

/// The variables of one medium.
#[derive(Serialize)]
pub(crate) struct Variables {
    /// In order.
    pub(crate) variables: Vec<(String, VariableText)>,
    /// Without one, the public default password is used, which keeps nothing secret.
    pub(crate) password: Option<Secret>,
}

/// A variable's value.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum VariableText {
    Text(String),
    Secret(Secret),
}

impl VariableText {
    fn reveal(&self) -> &str {
        match self {
            VariableText::Text(text) => text,
            VariableText::Secret(secret) => secret.reveal(),
        }
    }
}

impl Builder for Variables {
    fn builder(&self) -> BuilderVersion {
        BUILDER
    }

    fn options(&self) -> Value {
        json!({ "variables": self.variables, "password": self.password })
    }

    fn build(&self, _: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let variables: Vec<(String, String)> = self
            .variables
            .iter()
            .map(|(name, value)| (name.clone(), value.reveal().to_owned()))
            .collect();
        let password = self.password.as_ref().map(Secret::reveal);
        let bytes = encrypt(&variables, password, Algorithm::Aes256)?;
        context.put_bytes(&bytes).map(Output::Content)
    }
}
