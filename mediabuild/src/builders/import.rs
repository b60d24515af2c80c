//! `import`: one file of the world → a blob. The stat of the file is compared before and after, so
//! that a file that changes while it is read is an error and never half of each.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};

use mediabuild_store::{Content, Digest, Output};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::{BuildContext, Builder, BuilderVersion};
use crate::derivation::Inputs;
use crate::failure::Failure;

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

    fn build(&self, _: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        import_file(&self.path, context).map(Output::Content)
    }
}

/// The content of the file at `path`: looked up by its stat, or read.
pub(crate) fn import_file(path: &Path, context: &BuildContext<'_>) -> Result<Content, Failure> {
    let mut known = super::import_folder::StatCache::load(context.store, path, "file")?;
    let metadata = stat(path)?;
    if let Some(content) = known.lookup("", &metadata) {
        return Ok(content);
    }
    let mut batch = context.store.batch()?;
    let read = read_file(path, &metadata, context, batch.as_mut())?;
    known.note("", &metadata, read);
    known.put(batch.as_mut())?;
    batch.commit()?;
    Ok(read)
}

/// Puts the bytes of one file into `batch`, with their SHA-1 as a memo.
pub(crate) fn read_file(
    path: &Path,
    before: &Metadata,
    context: &BuildContext<'_>,
    batch: &mut dyn mediabuild_store::Batch,
) -> Result<Content, Failure> {
    let mut file = File::open(path).map_err(|error| Failure::io("open", path, &error))?;
    let mut sha1 = Sha1::new();
    let mut source = Cancellable { file: &mut file };
    let content = batch.put_blob(&mut source, &mut |piece| {
        sha1.update(piece);
        context.job.advance(piece.len() as u64);
    });
    let content = content.map_err(|error| {
        Failure::from(error).while_doing(format!("reading `{}`", path.display()))
    })?;
    let after = file.metadata().map_err(|error| Failure::io("look at", path, &error))?;
    if StatKey::of(before) != StatKey::of(&after) || content.size_bytes != after.len() {
        return Err(changed(path));
    }
    batch.put_memo(SHA1_MEMO, &content.digest, &sha1.finalize())?;
    Ok(content)
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

fn changed(path: &Path) -> Failure {
    Failure::build(format!("`{}` changed while it was read", path.display()))
        .help("let whatever writes it finish, then build again")
}

/// What a stat says of a file's content: when equal, and not fresh, the bytes are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatKey {
    size_bytes: u64,
    modified_ns: i128,
    changed_ns: i128,
    inode: u64,
    device: u64,
}

impl StatKey {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        StatKey {
            size_bytes: metadata.len(),
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let since = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let modified_ns = since.map_or(0, |since| since.as_nanos() as i128);
        StatKey { size_bytes: metadata.len(), modified_ns, changed_ns: 0, inode: 0, device: 0 }
    }

    /// The later of the two times, in nanoseconds since 1970.
    pub(crate) fn latest_ns(&self) -> i128 {
        self.modified_ns.max(self.changed_ns)
    }

    /// 56 bytes that are equal when the keys are.
    pub(crate) fn encode(&self) -> [u8; 56] {
        let mut bytes = [0; 56];
        bytes[..8].copy_from_slice(&self.size_bytes.to_le_bytes());
        bytes[8..24].copy_from_slice(&self.modified_ns.to_le_bytes());
        bytes[24..40].copy_from_slice(&self.changed_ns.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.inode.to_le_bytes());
        bytes[48..].copy_from_slice(&self.device.to_le_bytes());
        bytes
    }
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
            .map_err(|error| corrupt(&content.digest, &error))?;
        if count == 0 {
            return Ok(sha1.finalize().into());
        }
        sha1.update(&buffer[..count]);
        context.advance(count as u64)?;
    }
}

/// A content of the store that cannot be read.
pub(crate) fn corrupt(digest: &Digest, error: &std::io::Error) -> Failure {
    Failure::build(format!("cannot read `{}` from the store: {error}", digest.short()))
        .help("mediabuild store verify")
}
