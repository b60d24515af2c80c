//! `import`: one file of the world → a blob. The stat of the file is compared before and after, so
//! that a file that changes while it is read is an error and never half of each.

use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mediabuild_store::{Content, Digest, Output};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::{BuildContext, Builder, BuilderVersion};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::os::StatKey;

/// Imports have no identity; the name is for messages.
pub(crate) const IMPORT: BuilderVersion = BuilderVersion { name: "import", version: 0 };

/// The memo table of SHA-1 by content, which WIMs need.
pub(crate) const SHA1_MEMO: &str = "sha1";

/// Reads one file.
pub(crate) struct ImportFile {
    /// Where it is on this machine.
    pub(crate) path: PathBuf,
    /// How the project names it.
    pub(crate) project_path: String,
    /// How many bytes it has, for progress.
    pub(crate) total_bytes: Option<u64>,
}

impl Builder for ImportFile {
    fn builder(&self) -> BuilderVersion {
        IMPORT
    }

    fn options(&self) -> Value {
        json!({ "file": self.project_path })
    }

    fn is_import(&self) -> bool {
        true
    }

    fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    fn build(&self, _: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        import_file(&self.path, Sha1Wanted::Yes, context).map(Output::Content)
    }
}

/// The content of the file at `path`: looked up by its stat, or read.
pub(crate) fn import_file(
    path: &Path,
    sha1: Sha1Wanted,
    context: &BuildContext<'_>,
) -> Result<Content, Failure> {
    let mut known = super::import_stat::StatCache::load(context.store, path, "file")?;
    let metadata = stat(path)?;
    if let Some(content) = known.lookup("", &metadata) {
        return Ok(content);
    }
    let mut batch = context.store.batch()?;
    let read = read_file(path, &metadata, sha1, context, batch.as_mut())?;
    known.note("", &metadata, read);
    known.put(batch.as_mut())?;
    batch.commit()?;
    Ok(read)
}

/// Whether a WIM will want the SHA-1 of a file: then it is computed while the bytes pass by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sha1Wanted {
    Yes,
    /// A base WIM is not itself put into a WIM, and SHA-1 is the slowest of the hashes.
    No,
}

/// Puts the bytes of one file into `batch`, with their SHA-1 as a memo.
pub(crate) fn read_file(
    path: &Path,
    before: &Metadata,
    sha1_wanted: Sha1Wanted,
    context: &BuildContext<'_>,
    batch: &mut dyn mediabuild_store::Batch,
) -> Result<Content, Failure> {
    wait_out_tick(before);
    let mut file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => changed(path),
        _ => Failure::io("open", path, &error),
    })?;
    let mut sha1 = Sha1::new();
    let mut source = Cancellable { file: &mut file };
    let content = batch.put_blob(&mut source, &mut |piece| {
        if sha1_wanted == Sha1Wanted::Yes {
            sha1.update(piece);
        }
        context.job.advance(piece.len() as u64);
    });
    let content = content.map_err(|error| {
        Failure::from(error).while_doing(format!("reading `{}`", path.display()))
    })?;
    let after = file.metadata().map_err(|error| Failure::io("look at", path, &error))?;
    if StatKey::of(before) != StatKey::of(&after) || content.size_bytes != after.len() {
        return Err(changed(path));
    }
    if sha1_wanted == Sha1Wanted::Yes {
        batch.put_memo(SHA1_MEMO, &content.digest, &sha1.finalize())?;
    }
    Ok(content)
}

/// Clocks of file systems tick every few milliseconds: of two writes within a tick the second shows
/// in no time stamp.
const TICK: Duration = Duration::from_millis(20);

/// Waits until a later write would show, if the file was changed just now.
fn wait_out_tick(metadata: &Metadata) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let age_ns = now.as_nanos() as i128 - StatKey::of(metadata).latest_ns();
    // A time in the future is another clock's, which waiting here does not move.
    if let Ok(age_ns) = u64::try_from(age_ns) {
        std::thread::sleep(TICK.saturating_sub(Duration::from_nanos(age_ns)));
    }
}

/// Reads that end when the user presses Ctrl-C.
struct Cancellable<'a> {
    file: &'a mut File,
}

impl std::io::Read for Cancellable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if crate::cancel::is_cancelled() {
            return Err(std::io::Error::other("stopped"));
        }
        self.file.read(buffer)
    }
}

/// The metadata of `path`, following links.
pub(crate) fn stat(path: &Path) -> Result<Metadata, Failure> {
    std::fs::metadata(path).map_err(|error| Failure::io("look at", path, &error))
}

/// A file that did not stay as it was, or went.
pub(super) fn changed(path: &Path) -> Failure {
    Failure::build(format!("`{}` changed while it was read", path.display()))
        .help("let whatever writes it finish, then build again")
}

/// The SHA-1 of a content: remembered, or computed by reading it once.
pub(crate) fn sha1_of(content: &Content, context: &BuildContext<'_>) -> Result<[u8; 20], Failure> {
    if let Some(memo) = context.store.memo(SHA1_MEMO, &content.digest)?
        && let Ok(sha1) = <[u8; 20]>::try_from(memo.as_slice())
    {
        return Ok(sha1);
    }
    let sha1 = read_sha1(content, context)?;
    let mut batch = context.store.batch()?;
    batch.put_memo(SHA1_MEMO, &content.digest, &sha1)?;
    batch.commit()?;
    Ok(sha1)
}

fn read_sha1(content: &Content, context: &BuildContext<'_>) -> Result<[u8; 20], Failure> {
    let mut reader = context.store.open(&content.digest)?;
    let mut sha1 = Sha1::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = std::io::Read::read(&mut reader, &mut buffer)
            .map_err(|error| corrupt(&content.digest, error))?;
        if count == 0 {
            return Ok(sha1.finalize().into());
        }
        sha1.update(&buffer[..count]);
        context.advance(count as u64)?;
    }
}

/// A content of the store that cannot be read: the disk's fault, or damage.
pub(crate) fn corrupt(digest: &Digest, error: std::io::Error) -> Failure {
    let failure = Failure::from(mediabuild_store::Error::from_read(error));
    let failure = failure.while_doing(format!("reading `{}` from the store", digest.short()));
    if failure.help.is_some() { failure } else { failure.help("mediabuild store verify") }
}
