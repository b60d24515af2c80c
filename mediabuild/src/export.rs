//! Export: an output of the store → a file or folder for people. The only place bytes are copied.
//!
//! Every part is verified as it is read, and the digest of the whole is taken on the way. A result
//! is written under a temporary name beside its place, made durable, and renamed over the old one:
//! under the final name there is always the old result or the new one, whole. Each result is a gc
//! root; a result that is still as it was exported is not written again.

mod leftover;
mod temporary;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use mediabuild_store::{Content, Copier, CopyError, Digest, Extent, Output, Root, Store};
use serde_json::{Value, json};
use walkdir::WalkDir;

use self::leftover::is_of;
pub(crate) use self::leftover::leftovers;
use self::temporary::{Temporary, file_name, remove_leftovers};
use crate::builders::import::corrupt;
use crate::cancel;
use crate::failure::Failure;
use crate::os::{StatKey, free_space, hold_folder, sync_folder, sync_tree};
use crate::progress::{Job, Progress};
use crate::set_manifest;
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

/// Brings `output` to `path`, as a result of the project in the folder `project`.
pub(crate) fn export(
    store: &dyn Store,
    output: &Output,
    path: &Path,
    project: &Path,
    progress: &Progress,
) -> Result<Exported, Failure> {
    let path = std::path::absolute(path).map_err(|error| Failure::io("resolve", path, &error))?;
    remove_leftovers(&path);
    match output {
        Output::Content(content) => export_file(store, content, &path, project, progress),
        Output::Directory(digest) => export_folder(store, digest, &path, project, progress),
    }
}

/// Whether `output` lies at `path` as it was exported. Then a build need not even ask whether the
/// store still has it; of a folder it does, whose listing is in the store.
pub(crate) fn is_in_place(
    store: &dyn Store,
    output: &Output,
    path: &Path,
) -> Result<bool, Failure> {
    let path = std::path::absolute(path).map_err(|error| Failure::io("resolve", path, &error))?;
    let is_there = unchanged(store, output, &path)?.is_some();
    Ok(is_there && (matches!(output, Output::Content(_)) || store.is_whole(output)?))
}

/// What became of an old result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retired {
    /// There was none.
    Nothing,
    /// It was as a build had put it there.
    Removed,
    /// It is not what a build put there any more, so it stays.
    Changed,
    /// No build of this project that the store knows put it there, so it stays.
    Foreign,
}

/// Removes the result at `path`, which another of the project took the place of, if it is as it was
/// exported.
pub(crate) fn retire(store: &dyn Store, path: &Path, project: &Path) -> Result<Retired, Failure> {
    let path = std::path::absolute(path).map_err(|error| Failure::io("resolve", path, &error))?;
    if !path.exists() {
        return Ok(Retired::Nothing);
    }
    let _held = path.parent().and_then(hold_folder);
    let ours = root_of(store, &path)?.filter(|root| is_of(root, &path, project));
    let Some(root) = ours else { return Ok(Retired::Foreign) };
    if unchanged(store, &root.output, &path)?.is_none() {
        return Ok(Retired::Changed);
    }
    temporary::remove_result(&path).map_err(|error| Failure::io("remove", &path, &error))?;
    store.remove_root(&root.name)?;
    Ok(Retired::Removed)
}

fn export_file(
    store: &dyn Store,
    content: &Content,
    path: &Path,
    project: &Path,
    progress: &Progress,
) -> Result<Exported, Failure> {
    let output = Output::Content(*content);
    if let Some(digest) = unchanged(store, &output, path)? {
        let path = path.to_owned();
        return Ok(Exported { path, size_bytes: content.size_bytes, digest, unchanged: true });
    }
    refuse_other_kind(path, false)?;
    let folder = create_parent(path)?;
    check_space(&folder, written_bytes(store, content)?)?;
    let job = progress.job(&format!("write {}", file_name(path)), Some(content.size_bytes));
    let temporary = Temporary::file(path)?;
    let mut copier = Copier::default();
    let (digest, file) = copy(store, content, temporary.path(), &mut copier, &job)?;
    file.sync_all().map_err(|error| Failure::io("make durable", temporary.path(), &error))?;
    place(store, &output, temporary, path, project, &digest)?;
    job.finish("written", false);
    Ok(Exported { path: path.to_owned(), size_bytes: content.size_bytes, digest, unchanged: false })
}

/// The digest of a result that is still as it was exported, of the same output.
fn unchanged(store: &dyn Store, output: &Output, path: &Path) -> Result<Option<String>, Failure> {
    let Some(root) = root_of(store, path)? else { return Ok(None) };
    let Some(stat) = stat_of(path) else { return Ok(None) };
    let detail: Value = serde_json::from_slice(&root.detail).unwrap_or_default();
    let same = &root.output == output && detail["stat"] == stat.as_str();
    if same {
        store.touch_root(&root.name);
    }
    Ok(detail["digest"].as_str().filter(|_| same).map(str::to_owned))
}

/// A digest of the stats of a file, or of all files of a folder with their names.
fn stat_of(path: &Path) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    for entry in WalkDir::new(path).sort_by_file_name() {
        let entry = entry.ok()?;
        let metadata = entry.metadata().ok()?;
        if metadata.is_file() {
            hasher.update(entry.path().as_os_str().as_encoded_bytes());
            hasher.update(&StatKey::of(&metadata).encode());
        }
    }
    Some(hasher.finalize().to_hex().to_string())
}

/// Puts a finished result in its place and remembers it. One process at a time: else one would
/// remember its output with the stat of what another just put there.
fn place(
    store: &dyn Store,
    output: &Output,
    temporary: Temporary,
    path: &Path,
    project: &Path,
    digest: &str,
) -> Result<(), Failure> {
    let _held = path.parent().and_then(hold_folder);
    if temporary.path().is_dir() {
        // Known before it is there: an unknown folder would be in the way of the next build.
        remember(store, output, path, project, None, digest)?;
    }
    temporary.rename(path)?;
    remember(store, output, path, project, stat_of(path), digest)
}

/// A folder is replaced as a whole, so it must hold nothing but what an earlier build put there, or what
/// the new one has a file of the same name for. Which build that was is not known in a folder that was
/// moved or copied, or after another store was taken: then a set of discs names its files itself.
fn refuse_foreign(
    store: &dyn Store,
    path: &Path,
    new: &[(String, Content)],
) -> Result<(), Failure> {
    let _held = path.parent().and_then(hold_folder);
    if !path.is_dir() {
        return Ok(());
    }
    let old = match root_of(store, path)?.map(|root| root.output) {
        Some(Output::Directory(digest)) => {
            mediabuild_store::walk(store, &digest).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let ours = old.iter().chain(new).map(|(name, _)| path.join(name));
    let of_set = set_manifest::files_of(path).into_iter().map(|name| path.join(name));
    let ours: BTreeSet<PathBuf> = ours.chain(of_set).collect();
    let found =
        WalkDir::new(path).into_iter().flatten().filter(|entry| !entry.file_type().is_dir());
    match found.map(walkdir::DirEntry::into_path).find(|file| !ours.contains(file)) {
        Some(file) => {
            let what = format!("a folder with `{}`, which no build put there,", file.display());
            Err(in_the_way(path, &what))
        }
        None => Ok(()),
    }
}

fn remember(
    store: &dyn Store,
    output: &Output,
    path: &Path,
    project: &Path,
    stat: Option<String>,
    digest: &str,
) -> Result<(), Failure> {
    let project = project.to_string_lossy();
    let detail = json!({ "stat": stat, "digest": digest, "project": project });
    let detail = detail.to_string().into_bytes();
    Ok(store.set_root(&Root { name: root_name(path), output: *output, detail })?)
}

fn root_of(store: &dyn Store, path: &Path) -> Result<Option<Root>, Failure> {
    Ok(store.root(&root_name(path))?)
}

/// The root of a result is named so, then by its path.
const PREFIX: &str = "result:";

/// What the root of the result at `path` is called.
pub(crate) fn root_name(path: &Path) -> String {
    format!("{PREFIX}{}", path.display())
}

/// Copies a content to a new file at `to`; gives BLAKE3 of its bytes, and the file, which the caller
/// makes durable.
fn copy(
    store: &dyn Store,
    content: &Content,
    to: &Path,
    copier: &mut Copier,
    job: &Job<'_>,
) -> Result<(String, File), Failure> {
    let mut reader = store.open(&content.digest)?;
    let mut file = File::create(to).map_err(|error| Failure::io("create", to, &error))?;
    let mut observe = |piece: &[u8]| {
        job.advance(piece.len() as u64);
        !cancel::is_cancelled()
    };
    let copied =
        copier.copy(&mut reader, &mut file, &mut observe).map_err(|error| match error {
            CopyError::Read(error) => corrupt(&content.digest, error),
            CopyError::Write(error) => Failure::io("write", to, &error),
            CopyError::Cancelled => Failure::cancelled(),
        })?;
    Ok((copied.digest.to_string(), file))
}

fn export_folder(
    store: &dyn Store,
    digest: &Digest,
    path: &Path,
    project: &Path,
    progress: &Progress,
) -> Result<Exported, Failure> {
    let output = Output::Directory(*digest);
    let files = mediabuild_store::walk(store, digest)?;
    let size_bytes = files.iter().map(|(_, content)| content.size_bytes).sum();
    if let Some(digest) = unchanged(store, &output, path)? {
        return Ok(Exported { path: path.to_owned(), size_bytes, digest, unchanged: true });
    }
    refuse_other_kind(path, true)?;
    let folder = create_parent(path)?;
    refuse_foreign(store, path, &files)?;
    check_space(&folder, size_bytes)?;
    let job = progress.job(&format!("write {}", file_name(path)), Some(size_bytes));
    let temporary = Temporary::folder(path)?;
    let mut copier = Copier::default();
    for (name, content) in &files {
        let to = temporary.path().join(name);
        let folder = to.parent().unwrap_or(&to);
        std::fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
        copy(store, content, &to, &mut copier, &job)?;
    }
    // One barrier for thousands of files: each with one of its own takes minutes.
    let made_durable = sync_tree(temporary.path());
    made_durable.map_err(|error| Failure::io("make durable", temporary.path(), &error))?;
    let digest = digest.to_string();
    place(store, &output, temporary, path, project, &digest)?;
    job.finish("written", false);
    Ok(Exported { path: path.to_owned(), size_bytes, digest, unchanged: false })
}

/// Files replace files and links to them, folders replace folders, and nothing replaces a device.
fn refuse_other_kind(path: &Path, as_folder: bool) -> Result<(), Failure> {
    let Ok(there) = path.symlink_metadata().map(|metadata| metadata.file_type()) else {
        return Ok(());
    };
    let what = match (there.is_symlink(), there.is_dir(), there.is_file()) {
        (true, ..) if as_folder => "a symbolic link",
        (true, ..) if path.is_dir() => "a link to a folder",
        (_, true, _) if !as_folder => "a folder",
        (_, _, true) if as_folder => "a file",
        (false, false, false) => "no file but a device, a pipe or a socket",
        _ => return Ok(()),
    };
    Err(in_the_way(path, what))
}

fn in_the_way(path: &Path, what: &str) -> Failure {
    Failure::environment(format!("`{}` is {what} and in the way", path.display()))
        .help("move it away, or choose another place with `--out`")
}

fn create_parent(path: &Path) -> Result<PathBuf, Failure> {
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    if let Some(file) = folder.ancestors().find(|it| it.exists() && !it.is_dir()) {
        return Err(Failure::environment(format!("`{}` is no folder", file.display()))
            .help("move it away, or choose a folder with `--out`"));
    }
    let there = folder.ancestors().find(|ancestor| ancestor.is_dir()).unwrap_or(&folder).to_owned();
    std::fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
    if there != folder {
        // Else a power cut could take the new folders, and the result with them.
        sync_folder(&there).map_err(|error| Failure::io("make durable", &there, &error))?;
    }
    Ok(folder)
}

/// What a file takes at least: runs of zeros become holes where the file system has them.
fn written_bytes(store: &dyn Store, content: &Content) -> Result<u64, Failure> {
    let Some(recipe) = store.recipe(&content.digest)? else { return Ok(content.size_bytes) };
    let zeros = recipe.extents().iter().filter(|extent| matches!(extent, Extent::Zeros(_)));
    Ok(content.size_bytes - zeros.map(Extent::size_bytes).sum::<u64>())
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
    .help("free space there, or choose another place with `--out`"))
}
