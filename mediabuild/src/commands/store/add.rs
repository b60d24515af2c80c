//! `mediabuild store add`: puts a file that a user has into the store, to be built with where the
//! project does not bring it.

use std::fs::File;
use std::path::{Path, PathBuf};

use mediabuild_schema::{LOCK_FILE, LockEntry, LockKind, Texts, load, path_declaration};
use mediabuild_store::{Content, DiskStore, Output, Store};
use serde_json::json;
use sha2::Digest as _;

use crate::cli::StoreAdd;
use crate::expected::{Expected, SHA256_MEMO};
use crate::failure::Failure;
use crate::lock::{Lock, declared, digest_of, entry_of, roots};
use crate::os::StatKey;
use crate::progress::Progress;
use crate::{cancel, project};

/// Adds each file; the first that cannot be added ends it.
pub(super) fn run(
    options: &StoreAdd,
    store: &DiskStore,
    progress: &Progress,
) -> Result<(), Failure> {
    if options.expect.is_some() && options.files.len() > 1 {
        return Err(Failure::usage("`--expect` is of one file, and several are named")
            .help("add them one by one"));
    }
    let here = Here::look();
    for file in &options.files {
        let content = add(file, options.expect.as_ref(), store, progress)?;
        let line = here.as_ref().and_then(|here| here.line(file, &content));
        tell(file, &content, line.as_ref(), progress);
    }
    match here {
        Some(here) => roots::remember(store, &here.lock),
        None => Ok(()),
    }
}

/// Stores a file, unless it is something else than expected: then nothing of it is stored.
fn add(
    path: &Path,
    expected: Option<&Expected>,
    store: &DiskStore,
    progress: &Progress,
) -> Result<Content, Failure> {
    let failed = |error: std::io::Error| Failure::io("read", path, &error);
    let before = path.metadata().map_err(failed)?;
    if !before.is_file() {
        return Err(Failure::usage(format!("`{}` is no file", path.display()))
            .help("name files; a folder goes into the store by being built with"));
    }
    let job = progress.job(&format!("store add {}", path.display()), Some(before.len()));
    let mut file = File::open(path).map_err(failed)?;
    let mut sha256 = expected.and_then(Expected::hasher);
    let mut batch = store.batch()?;
    let content = batch.put_file(&mut file, &mut |piece| {
        if let Some(sha256) = &mut sha256 {
            sha256.update(piece);
        }
        job.advance(piece.len() as u64);
        !cancel::is_cancelled()
    })?;
    let after = file.metadata().map_err(failed)?;
    if StatKey::of(&before) != StatKey::of(&after) || content.size_bytes != after.len() {
        return Err(Failure::build(format!("`{}` changed while it was read", path.display()))
            .help("let whatever writes it finish, then add it again"));
    }
    let sha256: Option<[u8; 32]> = sha256.map(|sha256| sha256.finalize().into());
    if let Some(expected) = expected
        && let Some(found) = expected.differs(&content, sha256)
    {
        return Err(mismatch(path, expected, &found, content.size_bytes));
    }
    if let Some(sha256) = sha256 {
        batch.put_memo(SHA256_MEMO, &content.digest, &sha256)?;
    }
    batch.commit()?;
    job.finish("added", false);
    Ok(content)
}

fn mismatch(path: &Path, expected: &Expected, found: &Expected, size_bytes: u64) -> Failure {
    Failure::build(format!(
        "`{}` is not what is expected, so it was not stored\n  expected: {expected}\n  found:    \
         {found}, {size_bytes} bytes",
        path.display()
    ))
    .help("get the right file; or, if this is the right one, expect its digest")
}

/// The project of the working folder: what a file is for may be found in it.
struct Here {
    folder: PathBuf,
    lock: Lock,
    /// The project paths that definitions name as plain files.
    names: Vec<String>,
}

impl Here {
    /// A project that is wrong in some way is none: adding a file has nothing to do with that.
    fn look() -> Option<Here> {
        let folder = project::find(None).ok()?;
        let lock = Lock::load(&folder, &mut Texts::default(), &mut Vec::new()).ok()?;
        let definitions = load(&folder).definitions?;
        let inputs = definitions.inputs();
        let is_plain = |name: &&str| {
            let declaration = path_declaration(name, None, false);
            inputs.iter().any(|input| input.name == *name && input.declaration == declaration)
        };
        let names = inputs.iter().map(|input| input.name.as_str()).filter(is_plain);
        let names = names.map(str::to_owned).collect();
        Some(Here { folder, lock, names })
    }

    /// The lock's line of a file: one that names it already, or what it would be.
    fn line(&self, file: &Path, content: &Content) -> Option<Line> {
        let is_it = |entry: &LockEntry| {
            entry.kind != LockKind::Folder && digest_of(entry) == content.digest
        };
        let pinned = self.lock.lines().iter().find(|line| is_it(&line.entry));
        if let Some(line) = pinned {
            return Some(Line::Pinned(line.entry.clone()));
        }
        let name = self.name_of(file)?;
        let declared = declared(&path_declaration(&name, None, false));
        let output = Output::Content(*content);
        let size_bytes = content.size_bytes;
        Some(Line::New(entry_of(&name, declared, LockKind::File, &output, size_bytes)))
    }

    /// The input that a file is, or is meant to be: the one at its path, else the only one that is
    /// called so.
    fn name_of(&self, file: &Path) -> Option<String> {
        let same = |name: &&String| {
            let path = self.folder.join(name).canonicalize();
            path.is_ok_and(|path| file.canonicalize().is_ok_and(|file| file == path))
        };
        if let Some(name) = self.names.iter().find(same) {
            return Some(name.clone());
        }
        let called = file.file_name()?.to_str()?;
        let mut alike = self.names.iter().filter(|name| name.rsplit('/').next() == Some(called));
        alike.next().filter(|_| alike.next().is_none()).cloned()
    }
}

/// A line of the lock for a file.
enum Line {
    Pinned(LockEntry),
    New(LockEntry),
}

fn tell(file: &Path, content: &Content, line: Option<&Line>, progress: &Progress) {
    let Content { digest, size_bytes } = content;
    let (state, entry) = match line {
        Some(Line::Pinned(entry)) => (Some("pinned"), Some(entry)),
        Some(Line::New(entry)) => (Some("not pinned"), Some(entry)),
        None => (None, None),
    };
    progress.json(json!({
        "event": "added",
        "file": file.display().to_string(),
        "blake3": digest.to_string(),
        "bytes": size_bytes,
        "lock": state,
        "line": entry.map(LockEntry::to_string),
    }));
    progress.result(&format!("blake3:{digest}  {size_bytes} bytes  {}", file.display()));
    match line {
        Some(Line::Pinned(entry)) => {
            progress.result(&format!("{LOCK_FILE} names it:\n  {entry}"));
        }
        Some(Line::New(entry)) => progress.result(&format!(
            "its line in {LOCK_FILE}, without which `store gc` takes it again:\n  {entry}"
        )),
        None => progress.line(&format!(
            "no project here names it: until a {LOCK_FILE} does, `store gc` takes it again"
        )),
    }
}
