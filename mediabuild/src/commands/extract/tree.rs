//! What is to be written: folders, files, their further names and links, with paths of this system.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use mediabuild_formats::volume::Entry;
use mediabuild_formats::wim::{Dentry, FileTime, Image, Sha1, attribute};

use super::select::Selection;
use crate::size::counted;

#[derive(Default)]
pub(super) struct Plan {
    /// Parents before what is in them.
    pub(super) folders: Vec<Folder>,
    pub(super) files: Vec<File>,
    /// Further names of files, by their position.
    pub(super) hard_links: Vec<(usize, PathBuf)>,
    pub(super) links: Vec<Link>,
    /// What cannot be written, as warnings.
    pub(super) problems: Vec<String>,
    /// Named streams and reparse points that this system has no place for.
    stream_count: usize,
    reparse_count: usize,
    /// Symbolic links of a disc, which no Windows sees.
    disc_link_count: usize,
}

pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) modified: Option<SystemTime>,
}

pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) modified: Option<SystemTime>,
    pub(super) content: Content,
}

/// Where a file's bytes are.
pub(super) enum Content {
    Blob(Sha1),
    Disc(Entry),
}

/// A symbolic link or junction.
pub(super) struct Link {
    pub(super) path: PathBuf,
    pub(super) modified: Option<SystemTime>,
    pub(super) tag: u32,
    pub(super) sha1: Sha1,
}

impl Plan {
    /// What was left out and is no problem.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.stream_count > 0 {
            let streams = counted(self.stream_count, "named stream");
            notes.push(format!("note: {streams} not written: files here have one stream"));
        }
        if self.reparse_count > 0 {
            let files = counted(self.reparse_count, "reparse point");
            notes.push(format!("note: {files} written as plain files or folders"));
        }
        if self.disc_link_count > 0 {
            let links = counted(self.disc_link_count, "symbolic link");
            notes.push(format!("note: {links} of the disc not written"));
        }
        notes
    }
}

/// What is selected of an image.
pub(super) fn of_image(image: &Image, selection: &Selection) -> Plan {
    let mut planner = Planner { plan: Plan::default(), first_names: BTreeMap::new() };
    let mut walk = image.walk();
    let mut scope = Scope::default();
    while let Some((path, dentry)) = walk.next_in_place() {
        if path.is_empty() || !scope.enters(path, || selection.has(path)) {
            if !path.is_empty() && dentry.has_children_list() {
                scope.pass(path, filetime(dentry.write));
            }
            continue;
        }
        if String::from_utf16(dentry.name.units()).is_err() {
            planner.plan.problems.push(format!("`{path}`: the name is not Unicode"));
            scope.leave_out(path);
            continue;
        }
        planner.plan.folders.extend(scope.parents(path));
        planner.add(path, dentry);
    }
    planner.plan
}

/// What is selected of a disc, or of a disk's volumes.
pub(super) fn of_entries(mut entries: Vec<Entry>, selection: &Selection) -> Plan {
    let mut plan = Plan::default();
    let mut scope = Scope::default();
    entries.sort_by(|left, right| left.path.split('/').cmp(right.path.split('/')));
    for entry in entries.into_iter().filter(|entry| !entry.path.is_empty()) {
        let modified = entry.modified_seconds.map(unix_time);
        if !scope.enters(&entry.path, || selection.has(&entry.path)) {
            if entry.is_directory {
                scope.pass(&entry.path, modified);
            }
            continue;
        }
        if entry.link.is_some() {
            plan.disc_link_count += 1;
            continue;
        }
        plan.folders.extend(scope.parents(&entry.path));
        let path = PathBuf::from(&entry.path);
        match entry.is_directory {
            true => plan.folders.push(Folder { path, modified }),
            false => plan.files.push(File { path, modified, content: Content::Disc(entry) }),
        }
    }
    plan
}

/// Follows a walk in which folders come before what is in them.
#[derive(Default)]
struct Scope {
    /// The folder that is wanted with all that is in it.
    whole: Option<String>,
    /// The folder that is left out with all that is in it.
    left_out: Option<String>,
    /// Folders on the way that were not asked for, until something in them is.
    passed: Vec<(String, Option<SystemTime>)>,
}

impl Scope {
    /// Whether a path is wanted; `is_selected` says if it was asked for itself.
    fn enters(&mut self, path: &str, is_selected: impl FnOnce() -> bool) -> bool {
        if self.left_out.as_ref().is_some_and(|folder| is_below(path, folder)) {
            return false;
        }
        // Asked in any case, so that every pattern is found that has something.
        let is_selected = is_selected();
        if self.whole.as_ref().is_some_and(|folder| is_below(path, folder)) {
            return true;
        }
        if is_selected {
            self.whole = Some(path.to_owned());
        }
        is_selected
    }

    /// A folder that was not asked for.
    fn pass(&mut self, path: &str, modified: Option<SystemTime>) {
        self.passed.retain(|(folder, _)| is_below(path, folder));
        self.passed.push((path.to_owned(), modified));
    }

    fn leave_out(&mut self, path: &str) {
        self.left_out = Some(path.to_owned());
    }

    /// Folders on the way to something that is wanted, those not made yet.
    fn parents(&mut self, path: &str) -> Vec<Folder> {
        self.passed.retain(|(folder, _)| is_below(path, folder));
        let folder = |(path, modified)| Folder { path: PathBuf::from(path), modified };
        self.passed.drain(..).map(folder).collect()
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

struct Planner {
    plan: Plan,
    /// Positions of files that have several names.
    first_names: BTreeMap<(u64, Sha1), usize>,
}

impl Planner {
    fn add(&mut self, path: &str, dentry: &Dentry) {
        self.plan.stream_count += dentry.streams.len();
        let (modified, path_text, path) = (filetime(dentry.write), path, PathBuf::from(path));
        if dentry.attributes & attribute::ENCRYPTED != 0 && !dentry.is_directory() {
            let problem = format!("`{path_text}`: it is encrypted by EFS, for one user of Windows");
            self.plan.problems.push(problem);
            return;
        }
        if let Some(reparse) = &dentry.reparse {
            if super::reparse::is_link(reparse.tag) {
                let (tag, sha1) = (reparse.tag, reparse.sha1);
                self.plan.links.push(Link { path, modified, tag, sha1 });
                return;
            }
            self.plan.reparse_count += 1;
        }
        if dentry.is_directory() {
            self.plan.folders.push(Folder { path, modified });
            return;
        }
        let position = self.plan.files.len();
        if let Some(group) = dentry.link_group() {
            let first = *self.first_names.entry(group).or_insert(position);
            if first != position {
                self.plan.hard_links.push((first, path));
                return;
            }
        }
        self.plan.files.push(File { path, modified, content: Content::Blob(dentry.data) });
    }
}

/// `None` for a field that was never set.
fn filetime(time: FileTime) -> Option<SystemTime> {
    if time == FileTime::default() {
        return None;
    }
    let beyond = Duration::from_nanos(time.subsecond_nanos().into());
    at_second(time.unix_seconds())?.checked_add(beyond)
}

fn unix_time(seconds: i64) -> SystemTime {
    at_second(seconds).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// `None` for times that this system does not have.
fn at_second(unix_seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(unix_seconds.unsigned_abs());
    match unix_seconds < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(distance),
        false => SystemTime::UNIX_EPOCH.checked_add(distance),
    }
}
