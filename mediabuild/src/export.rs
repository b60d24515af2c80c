//! Export: an output of the store → a file or folder for people. The only place bytes are copied.
//!
//! Every part is verified as it is read, and the digest of the whole is taken on the way. A result
//! is written under a temporary name beside its place, made durable, and renamed over the old one:
//! under the final name there is always the old result or the new one, whole. Each result is a gc
//! root; a result that is still as it was exported is not written again.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use mediabuild_store::{Content, Digest, Output, Root, Store};
use serde_json::{Value, json};

use crate::builders::import::corrupt;
use crate::cancel;
use crate::failure::Failure;
use crate::os::{StatKey, free_space, sync_folder};
use crate::progress::{Job, Progress};
use crate::size::human;

/// A result that is in its place.
#[derive(Debug, Clone)]
pub(crate) struct Exported {
    pub(crate) path: PathBuf,
    pub(crate) size_bytes: u64,
    /// BLAKE3 of a file's bytes, as `b3sum` prints it; of a folder, the directory's digest.
    pub(crate) digest: String,
    /// It was in its place already.
    pub(crate) unchanged: bool,
}

/// Brings `output` to `path`.
pub(crate) fn export(
    store: &dyn Store,
    output: &Output,
    path: &Path,
    progress: &Progress,
) -> Result<Exported, Failure> {
    let path = std::path::absolute(path).map_err(|error| Failure::io("resolve", path, &error))?;
    match output {
        Output::Content(content) => export_file(store, content, &path, progress),
        Output::Directory(digest) => export_folder(store, digest, &path, progress),
    }
}

fn export_file(
    store: &dyn Store,
    content: &Content,
    path: &Path,
    progress: &Progress,
) -> Result<Exported, Failure> {
    let output = Output::Content(*content);
    if let Some(digest) = unchanged(store, &output, path)? {
        let path = path.to_owned();
        return Ok(Exported { path, size_bytes: content.size_bytes, digest, unchanged: true });
    }
    refuse(path, path.is_dir(), "a folder")?;
    let folder = create_parent(path)?;
    check_space(&folder, content.size_bytes)?;
    let job = progress.job(&format!("write {}", shown(path)), Some(content.size_bytes));
    let temporary = Temporary::file(path)?;
    let digest = copy(store, content, temporary.path(), &job)?;
    temporary.rename(path)?;
    let metadata = std::fs::metadata(path).map_err(|error| Failure::io("look at", path, &error))?;
    let stat = blake3::hash(&StatKey::of(&metadata).encode()).to_hex().to_string();
    remember(store, &output, path, json!({ "stat": stat, "digest": digest }))?;
    job.finish("written", false);
    Ok(Exported { path: path.to_owned(), size_bytes: content.size_bytes, digest, unchanged: false })
}

/// The digest of a result that is still as it was exported, of the same output.
fn unchanged(store: &dyn Store, output: &Output, path: &Path) -> Result<Option<String>, Failure> {
    let name = root_name(path);
    let Some(root) = store.roots()?.into_iter().find(|root| root.name == name) else {
        return Ok(None);
    };
    let detail: Value = serde_json::from_slice(&root.detail).unwrap_or_default();
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(None) };
    let stat = blake3::hash(&StatKey::of(&metadata).encode()).to_hex().to_string();
    let same = &root.output == output && detail["stat"] == stat.as_str();
    Ok(detail["digest"].as_str().filter(|_| same).map(str::to_owned))
}

fn remember(store: &dyn Store, output: &Output, path: &Path, detail: Value) -> Result<(), Failure> {
    let root =
        Root { name: root_name(path), output: *output, detail: detail.to_string().into_bytes() };
    Ok(store.set_root(&root)?)
}

fn root_name(path: &Path) -> String {
    format!("result:{}", path.display())
}

/// How many bytes are read at a time: large enough for parallel hashing, small enough for the cache.
const PIECE_BYTES: usize = 1 << 20;

/// Copies a content to a new file at `to`, durably; gives BLAKE3 of its bytes.
fn copy(store: &dyn Store, content: &Content, to: &Path, job: &Job<'_>) -> Result<String, Failure> {
    let mut reader = store.open(&content.digest)?;
    let mut file = File::create(to).map_err(|error| Failure::io("create", to, &error))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        cancel::check()?;
        let count = reader.read(&mut buffer).map_err(|error| corrupt(&content.digest, &error))?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        file.write_all(&buffer[..count]).map_err(|error| Failure::io("write", to, &error))?;
        job.advance(count as u64);
    }
    file.sync_all().map_err(|error| Failure::io("make durable", to, &error))?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn export_folder(
    store: &dyn Store,
    digest: &Digest,
    path: &Path,
    progress: &Progress,
) -> Result<Exported, Failure> {
    let files = mediabuild_store::walk(store, digest)?;
    let size_bytes = files.iter().map(|(_, content)| content.size_bytes).sum();
    refuse(path, path.is_file(), "a file")?;
    let folder = create_parent(path)?;
    check_space(&folder, size_bytes)?;
    let job = progress.job(&format!("write {}", shown(path)), Some(size_bytes));
    let temporary = Temporary::folder(path)?;
    for (name, content) in &files {
        let to = temporary.path().join(name);
        create_parent(&to)?;
        copy(store, content, &to, &job)?;
    }
    temporary.rename(path)?;
    remember(store, &Output::Directory(*digest), path, json!({}))?;
    job.finish("written", false);
    Ok(Exported { path: path.to_owned(), size_bytes, digest: digest.to_string(), unchanged: false })
}

fn refuse(path: &Path, is_wrong: bool, what: &str) -> Result<(), Failure> {
    if is_wrong {
        return Err(Failure::environment(format!("`{}` is {what} and in the way", path.display()))
            .help("move it away, or say another `--out`"));
    }
    Ok(())
}

fn create_parent(path: &Path) -> Result<PathBuf, Failure> {
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    std::fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
    Ok(folder)
}

/// A full disk is better found before gigabytes are copied.
fn check_space(folder: &Path, needed_bytes: u64) -> Result<(), Failure> {
    let Some(free_bytes) = free_space(folder) else { return Ok(()) };
    if free_bytes >= needed_bytes {
        return Ok(());
    }
    Err(Failure::environment(format!(
        "`{}` has {} free, and {} are needed",
        folder.display(),
        human(free_bytes),
        human(needed_bytes)
    ))
    .help("free space there, or say another `--out`"))
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A file or folder under a temporary name beside its final one; removed unless renamed.
///
/// A sibling lock file held open tells the next run that its owner lives; what a killed process
/// left behind is removed by the next export to the same place.
struct Temporary {
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
    renamed: bool,
}

impl Temporary {
    fn file(target: &Path) -> Result<Self, Failure> {
        Self::new(target)
    }

    fn folder(target: &Path) -> Result<Self, Failure> {
        let temporary = Self::new(target)?;
        std::fs::create_dir(&temporary.path)
            .map_err(|error| Failure::io("create", &temporary.path, &error))?;
        Ok(temporary)
    }

    fn new(target: &Path) -> Result<Self, Failure> {
        remove_leftovers(target);
        let path = sibling(target, &format!("{}.part", std::process::id()));
        let lock_path = sibling(target, &format!("{}.lock", std::process::id()));
        let lock =
            File::create(&lock_path).map_err(|error| Failure::io("create", &lock_path, &error))?;
        lock.lock().map_err(|error| Failure::io("lock", &lock_path, &error))?;
        Ok(Temporary { path, lock_path, _lock: lock, renamed: false })
    }

    fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place, durably.
    fn rename(mut self, target: &Path) -> Result<(), Failure> {
        let old = sibling(target, "old");
        let replaces_folder = target.is_dir();
        if replaces_folder {
            // A folder cannot be renamed over one that is not empty: the old one steps aside.
            remove(&old);
            std::fs::rename(target, &old)
                .map_err(|error| Failure::io("replace", target, &error))?;
        }
        let renamed = std::fs::rename(&self.path, target);
        if let Err(error) = renamed {
            if replaces_folder {
                let _ = std::fs::rename(&old, target);
            }
            return Err(Failure::io("replace", target, &error));
        }
        self.renamed = true;
        remove(&old);
        let folder = target.parent().unwrap_or(Path::new("/"));
        sync_folder(folder).map_err(|error| Failure::io("make durable", folder, &error))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            remove(&self.path);
        }
        let _ = std::fs::remove_file(&self.lock_path);
    }
}

/// `.NAME.SUFFIX` beside `target`.
fn sibling(target: &Path, suffix: &str) -> PathBuf {
    target.with_file_name(format!(".{}.{suffix}", shown(target)))
}

/// Removes what dead processes left beside `target`. Failures do not matter: it is tidying.
fn remove_leftovers(target: &Path) {
    let prefix = format!(".{}.", shown(target));
    let Some(entries) = target.parent().and_then(|folder| std::fs::read_dir(folder).ok()) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(process) = name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".lock"))
        else {
            continue;
        };
        let Ok(lock) = File::open(entry.path()) else { continue };
        if lock.try_lock().is_ok() {
            remove(&sibling(target, &format!("{process}.part")));
            remove(&entry.path());
        }
    }
}

fn remove(path: &Path) {
    let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
}
