//! `mediabuild/medium.id`: by which a medium is found at run time, whatever drive letter or label it
//! got. The ISO and the disk image of a medium have the same one.

use mediabuild_store::Content;

use super::BuildContext;
use crate::failure::Failure;

/// Where it lies on every medium that starts.
pub(crate) const MEDIUM_ID: &str = "mediabuild/medium.id";

/// The file: 32 hexadecimal digits and an end of line that `set /p` of `cmd.exe` takes. It differs when
/// any path or content does.
pub(super) fn medium_id<'a>(
    files: impl Iterator<Item = &'a (String, Content)>,
    context: &BuildContext<'_>,
) -> Result<Content, Failure> {
    let id = digest_of("mediabuild 2026-11 medium id", files);
    let digits: String = id[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    context.put_bytes(format!("{digits}\r\n").as_bytes())
}

/// A digest of files for a purpose.
pub(super) fn digest_of<'a>(
    purpose: &str,
    files: impl Iterator<Item = &'a (String, Content)>,
) -> [u8; 64] {
    let mut hasher = blake3::Hasher::new_derive_key(purpose);
    add_files(&mut hasher, files);
    let mut digest = [0; 64];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

/// Paths and contents, none of which can be taken for another.
pub(super) fn add_files<'a>(
    hasher: &mut blake3::Hasher,
    files: impl IntoIterator<Item = &'a (String, Content)>,
) {
    for (path, content) in files {
        hasher.update(&(path.len() as u64).to_le_bytes());
        hasher.update(path.as_bytes());
        hasher.update(content.digest.as_bytes());
    }
}
