//! `BootProgram`: what a program that firmware starts says of itself: who signed it, and its security
//! versions.

use std::io::Read;

use mediabuild_formats::authenticode::{SecurityVersion, Signature, security_versions, signatures};

use crate::builders::boot_signers::PROGRAM_MAX_BYTES;
use crate::media_layout::BOOT_MANAGER_VERSION;

/// Each part, or why it cannot be read.
pub(crate) struct BootProgram {
    pub(crate) signatures: Result<Vec<Signature>, String>,
    pub(crate) versions: Result<Vec<SecurityVersion>, String>,
}

impl BootProgram {
    /// Looks at a program's bytes, or says of both why there are none.
    pub(crate) fn of(bytes: Result<Vec<u8>, String>) -> BootProgram {
        match bytes {
            Err(error) => BootProgram { signatures: Err(error.clone()), versions: Err(error) },
            Ok(bytes) => BootProgram {
                signatures: signatures(&bytes).map_err(|error| error.to_string()),
                versions: security_versions(&bytes, BOOT_MANAGER_VERSION)
                    .map_err(|error| error.to_string()),
            },
        }
    }

    /// The signatures; none if they cannot be read.
    pub(crate) fn known_signatures(&self) -> &[Signature] {
        self.signatures.as_ref().map_or(&[], Vec::as_slice)
    }
}

/// All of a program; `None` of what is larger than any.
pub(crate) fn read_program(reader: impl Read) -> Result<Option<Vec<u8>>, String> {
    let mut bytes = Vec::new();
    let read = reader.take(PROGRAM_MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    Ok((bytes.len() as u64 <= PROGRAM_MAX_BYTES).then_some(bytes))
}
