//! `import` of a folder: its files → a directory. mtime, mode and owner never enter.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use mediabuild_store::{Batch, Content, Digest, DirectoryBuilder, Output};
use serde_json::{Value, json};
use walkdir::WalkDir;

use super::import::IMPORT;
use super::import_names::{RENAME, windows_refuses};
use super::import_read::{Unread, changed, read_files};
use super::import_recall::StatCaches;
use super::import_stat::{Fingerprint, ImportKey, StatCache};
use super::{BuildContext, Builder, BuilderVersion};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::listing::{Listed, Listing};
use crate::os::StatKey;

/// Which files of a folder are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct Filter {
    /// Globs; everything, if there is none.
    pub(crate) include: Vec<String>,
    /// Globs that take away again.
    pub(crate) exclude: Vec<String>,
}

impl Filter {
    /// The filter as a predicate over paths with `/`. Matching ignores case, as Windows does.
    pub(crate) fn matcher(&self) -> Result<Matcher, Failure> {
        Ok(Matcher { include: globs(&self.include)?, exclude: globs(&self.exclude)? })
    }
}

/// A compiled [`Filter`].
pub(crate) struct Matcher {
    include: Option<GlobSet>,
    exclude: Option<GlobSet>,
}

impl Matcher {
    pub(crate) fn takes(&self, path: &str) -> bool {
        self.include.as_ref().is_none_or(|globs| globs.is_match(path))
            && !self.exclude.as_ref().is_some_and(|globs| globs.is_match(path))
    }
}

fn globs(patterns: &[String]) -> Result<Option<GlobSet>, Failure> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).case_insensitive(true).build();
        set.add(glob.map_err(|error| Failure::usage(error.to_string()))?);
    }
    set.build().map(Some).map_err(|error| Failure::usage(error.to_string()))
}

/// Reads a folder.
pub(crate) struct ImportFolder {
    /// Where it is on this machine.
    pub(crate) path: PathBuf,
    /// How the project names it.
    pub(crate) project_path: String,
    /// Which files.
    pub(crate) filter: Filter,
    /// Symlinks are read as what they point to; otherwise they are errors.
    pub(crate) follow_symlinks: bool,
    /// How many bytes it has, for progress.
    pub(crate) total_bytes: Option<u64>,
    /// What the probe found there.
    pub(crate) listing: Option<Arc<Listing>>,
}

impl Builder for ImportFolder {
    fn builder(&self) -> BuilderVersion {
        IMPORT
    }

    fn options(&self) -> Value {
        json!({ "folder": self.project_path, "filter": self.filter, "follow": self.follow_symlinks })
    }

    fn is_import(&self) -> bool {
        true
    }

    fn reads(&self) -> Option<&str> {
        Some(&self.project_path)
    }

    fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    fn stat_cache_key(&self) -> Option<Digest> {
        self.with_key(|key| key.digest())
    }

    fn recall(&self, caches: &StatCaches) -> Option<Output> {
        caches.output(&self.stat_cache_key()?, || {
            caches.fingerprint(self.listing.as_deref()?, &self.filter)
        })
    }

    fn build(&self, _: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let matcher = self.filter.matcher()?;
        let known = self.with_key(|key| StatCache::load(key, context))?;
        let files = self.files(&matcher)?;
        if files.is_empty() {
            return Err(self.empty());
        }
        let mut batch = context.store.batch()?;
        let remembered: Vec<Option<Content>> =
            files.iter().map(|file| known.lookup(&file.name, file.stat)).collect();
        let unread: Vec<Unread<'_>> = files
            .iter()
            .zip(&remembered)
            .filter(|(_, remembered)| remembered.is_none())
            .map(|(file, _)| Unread { path: &file.path, before: file.stat })
            .collect();
        let read = read_files(&unread, context.sha1, context, batch.as_mut())?;
        let mut read = read.into_iter();
        let content =
            |it: Option<Content>| it.or_else(|| read.next()).expect("what was unread is read");
        let contents: Vec<Content> = remembered.into_iter().map(content).collect();
        if unread.is_empty() {
            return self.put(&files, &contents, known, batch);
        }
        let mut unchanged = Ok(());
        let output = rayon::in_place_scope(|scope| {
            scope.spawn(|_| unchanged = self.check_unchanged(&files, &matcher));
            self.put(&files, &contents, known, batch)
        })?;
        unchanged.map(|()| output)
    }
}

impl ImportFolder {
    fn with_key<T>(&self, see: impl FnOnce(&ImportKey<'_>) -> T) -> T {
        see(&ImportKey {
            kind: "folder",
            path: &self.path,
            options: &[&self.filter.include, &self.filter.exclude],
            follow_symlinks: self.follow_symlinks,
        })
    }

    /// The files to be taken, as the probe found them if that was a moment ago.
    fn files(&self, matcher: &Matcher) -> Result<Vec<FoundFile>, Failure> {
        let probed = self.listing.as_deref().filter(|listing| listing.is_fresh());
        match probed.and_then(|listing| self.usual(listing, matcher)) {
            Some(files) => Ok(files),
            None => self.look(matcher),
        }
    }

    /// The files to be taken, as they are now.
    fn look(&self, matcher: &Matcher) -> Result<Vec<FoundFile>, Failure> {
        let listing = Listing::of(&self.path, self.follow_symlinks);
        match listing.and_then(|listing| self.usual(&listing, matcher)) {
            Some(files) => Ok(files),
            None => list(&self.path, matcher, self.follow_symlinks),
        }
    }

    /// What is taken of `listing`, if all of that is usual.
    fn usual(&self, listing: &Listing, matcher: &Matcher) -> Option<Vec<FoundFile>> {
        if listing.others.iter().any(|name| matcher.takes(name)) {
            return None;
        }
        let taken = listing.files.iter().filter(|file| matcher.takes(&file.name));
        let found = |file: &Listed| {
            let (name, stat) = (file.name.clone(), file.stat);
            let path = self.path.join(&name);
            windows_refuses(&name).is_none().then_some(FoundFile { name, path, stat })
        };
        taken.map(found).collect()
    }

    /// Stores the folder, and remembers what its files were.
    fn put(
        &self,
        files: &[FoundFile],
        contents: &[Content],
        mut known: StatCache,
        mut batch: Box<dyn Batch + '_>,
    ) -> Result<Output, Failure> {
        let mut directory = DirectoryBuilder::default();
        for (file, content) in files.iter().zip(contents) {
            known.note(&file.name, file.stat, *content);
            directory.insert(&file.name, *content).map_err(|error| self.bad_name(file, &error))?;
        }
        let output = Output::Directory(directory.put(batch.as_mut())?);
        let stats = files.iter().map(|file| (file.name.as_str(), file.stat));
        known.put(Fingerprint::of(stats), &output, batch.as_mut())?;
        batch.commit()?;
        Ok(output)
    }

    fn empty(&self) -> Failure {
        Failure::build(format!("`{}` gives no file", self.project_path))
            .help("put files there, or mend the `include` and `exclude` globs")
    }

    fn bad_name(&self, file: &FoundFile, error: &dyn std::fmt::Display) -> Failure {
        Failure::build(format!("`{}/{}`: {error}", self.project_path, file.name)).help(RENAME)
    }

    /// A file that came, went or changed while the folder was read makes the whole a mixture.
    fn check_unchanged(&self, before: &[FoundFile], matcher: &Matcher) -> Result<(), Failure> {
        let after = self.look(matcher)?;
        let same = before.len() == after.len()
            && before
                .iter()
                .zip(&after)
                .all(|(before, after)| before.name == after.name && before.stat == after.stat);
        if same {
            return Ok(());
        }
        Err(Failure::build(format!("`{}` changed while it was read", self.project_path))
            .help("let whatever writes there finish, then build again"))
    }
}

/// A file of a folder.
pub(crate) struct FoundFile {
    /// Relative to the folder, with `/`.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) stat: StatKey,
}

/// The files below `folder` that `matcher` takes, by name.
pub(crate) fn list(
    folder: &Path,
    matcher: &Matcher,
    follow_symlinks: bool,
) -> Result<Vec<FoundFile>, Failure> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).follow_links(follow_symlinks).follow_root_links(true) {
        let entry = entry.map_err(|error| walk_failure(folder, &error))?;
        if entry.file_type().is_dir() {
            continue;
        }
        let name = relative_name(folder, entry.path())?;
        if matcher.takes(&name) {
            files.push(found(folder, name, &entry)?);
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn found(folder: &Path, name: String, entry: &walkdir::DirEntry) -> Result<FoundFile, Failure> {
    let path = entry.path();
    if let Some(problem) = windows_refuses(&name) {
        return Err(Failure::build(format!("`{}`: {problem}", path.display())).help(RENAME));
    }
    if entry.file_type().is_symlink() {
        return Err(Failure::build(format!("`{}` is a symbolic link", path.display()))
            .help("say what is meant: symlinks \"follow\" in the source, or exclude it"));
    }
    if !entry.file_type().is_file() {
        return Err(Failure::build(format!("`{}` is neither a file nor a folder", path.display()))
            .help("remove it, or exclude it"));
    }
    let metadata = entry.metadata().map_err(|error| walk_failure(folder, &error))?;
    Ok(FoundFile { name, path: path.to_owned(), stat: StatKey::of(&metadata) })
}

fn walk_failure(folder: &Path, error: &walkdir::Error) -> Failure {
    let path = error.path().unwrap_or(folder).to_owned();
    match error.io_error() {
        Some(error) if error.kind() == ErrorKind::NotFound && path != folder => gone(&path),
        Some(error) => Failure::io("read", &path, error),
        None => Failure::build(format!("`{}` holds a link to a folder above it", path.display()))
            .help("remove the link, or exclude it"),
    }
}

/// What was listed a moment ago and is not there: a link to nothing, or a file that went.
fn gone(path: &Path) -> Failure {
    if path.is_symlink() {
        return Failure::build(format!("`{}` is a link to nothing", path.display()))
            .help("remove the link, or exclude it");
    }
    changed(path)
}

/// `path` below `folder`, with `/`. A name that is not Unicode has no place in a Windows medium.
fn relative_name(folder: &Path, path: &Path) -> Result<String, Failure> {
    let relative = path.strip_prefix(folder).expect("walked paths are below their folder");
    let mut name = String::new();
    for component in relative.components() {
        let component = component.as_os_str().to_str().ok_or_else(|| not_unicode(path))?;
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(component);
    }
    Ok(name)
}

fn not_unicode(path: &Path) -> Failure {
    Failure::build(format!("`{}` has a name that is not UTF-8", path.display()))
        .help("rename it; Windows file names are Unicode")
}
