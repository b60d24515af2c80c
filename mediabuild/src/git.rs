//! What git says of a project's files: which it tracks, and why not. Asked by calling `git`, whose
//! index format has four versions and several extensions that matter here (split, sparse).
//!
//! A build that succeeds never asks: `lock`, `build --locked` and errors do, once a run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::failure::Failure;

/// What git tracks below a project's folder.
pub(crate) struct Tracked {
    by_path: HashMap<String, Mode>,
}

/// What the index has at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    File,
    /// Only where it points to is in the index.
    Link,
    /// A commit of another repository is, and with it every file below.
    Submodule,
}

impl Tracked {
    /// What git tracks below `folder`; `None` if that is in no repository.
    pub(crate) fn of(folder: &Path) -> Result<Option<Tracked>, Failure> {
        if !is_in_repository(folder) {
            return Ok(None);
        }
        let output = git(folder).args(["ls-files", "--stage", "-z"]).output();
        let output = output.map_err(|error| {
            Failure::environment(format!("cannot run git: {error}")).help(
                "install git: the project is in a repository, and what that tracks needs no lock",
            )
        })?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        let entries = output.stdout.split(|byte| *byte == 0).filter_map(entry);
        Ok(Some(Tracked { by_path: entries.collect() }))
    }

    /// Whether the bytes of the file at this project path are in git's hands.
    pub(crate) fn holds(&self, path: &str) -> bool {
        match self.by_path.get(path) {
            Some(mode) => *mode == Mode::File,
            None => self.is_in_submodule(path),
        }
    }

    fn is_in_submodule(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders.into_iter().any(|folder| self.by_path.get(folder) == Some(&Mode::Submodule))
    }
}

/// `100644 <id> 0\t<path>`; a path that is not UTF-8 cannot be named in a definition.
fn entry(line: &[u8]) -> Option<(String, Mode)> {
    let (stat, path) = std::str::from_utf8(line).ok()?.split_once('\t')?;
    let mode = match stat.split(' ').next()? {
        "120000" => Mode::Link,
        "160000" => Mode::Submodule,
        _ => Mode::File,
    };
    Some((path.to_owned(), mode))
}

/// What git says of a file that is not at this project path: `is not tracked by git (ignored by
/// .gitignore:3) and not here`. `None` where there is no repository.
pub(crate) fn absence(folder: &Path, path: &str) -> Option<String> {
    let tracked = Tracked::of(folder).ok()??;
    let below = format!("{path}/");
    if tracked.by_path.keys().any(|known| known == path || known.starts_with(&below)) {
        return Some(format!("is tracked by git and was removed here (git restore {path})"));
    }
    let ignored = ignored_by(folder, path);
    let ignored = ignored.map_or(String::new(), |place| format!(" (ignored by {place})"));
    Some(format!("is not tracked by git{ignored} and not here"))
}

/// The file and line of the pattern that makes git ignore a path.
fn ignored_by(folder: &Path, path: &str) -> Option<String> {
    let output = git(folder).args(["check-ignore", "-v", "--", path]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    // FILE:LINE:PATTERN, a tab, and the path; a pattern may hold colons, and a file may.
    let mut fields = text.split(':');
    let mut file = fields.next().filter(|file| !file.is_empty())?.to_owned();
    for field in fields {
        if field.bytes().all(|b| b.is_ascii_digit()) {
            return Some(format!("{file}:{field}"));
        }
        file = format!("{file}:{field}");
    }
    None
}

/// Whether `folder` lies in a repository, as far as a look at the disk tells.
fn is_in_repository(folder: &Path) -> bool {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    // What a link points to counts, as it does for git.
    let folder: PathBuf = folder.canonicalize().unwrap_or(folder);
    folder.ancestors().any(|folder| folder.join(".git").exists())
}

/// `git` in a folder, taking no lock, running no hook, and not misled by being called from one.
fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["-c", "core.fsmonitor=false"]);
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C").stdin(Stdio::null());
    command
}

fn refused(output: &Output) -> Failure {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().lines().next().unwrap_or("it says nothing").to_owned();
    Failure::environment(format!("git cannot tell what it tracks: {said}"))
        .help("mend that: `git ls-files` in the project's folder must work")
}

/// The first bytes of the text that git-lfs leaves in place of a file it has not fetched.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

/// A pointer has a few lines.
const LFS_POINTER_BYTES_MAX: u64 = 1024;

/// Whether a file of that size that begins so is a pointer of git-lfs.
pub(crate) fn is_lfs_pointer(size_bytes: u64, head: &[u8]) -> bool {
    size_bytes <= LFS_POINTER_BYTES_MAX && head.starts_with(LFS_POINTER)
}

/// Whether the file at `path` is one; files too large for that are not opened.
pub(crate) fn is_lfs_pointer_at(path: &Path) -> bool {
    use std::io::Read;
    let size_bytes = path.metadata().map_or(u64::MAX, |metadata| metadata.len());
    let mut head = [0; LFS_POINTER.len()];
    size_bytes <= LFS_POINTER_BYTES_MAX
        && std::fs::File::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok())
        && is_lfs_pointer(size_bytes, &head)
}

/// What to do about one.
pub(crate) fn lfs_help(name: &str) -> String {
    format!("git lfs pull --include \"{name}\"")
}

#[cfg(test)]
mod tests {
    use super::{Mode, Tracked, entry};

    #[test]
    fn the_index_says_what_git_holds() {
        let lines: [&[u8]; 4] = [
            b"100644 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 0\tinputs/a b.bin",
            b"120000 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 0\tinputs/link.wim",
            b"160000 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 0\tvendor/drivers",
            b"",
        ];
        let tracked = Tracked { by_path: lines.into_iter().filter_map(entry).collect() };
        assert_eq!(tracked.by_path.get("inputs/link.wim"), Some(&Mode::Link));
        assert!(tracked.holds("inputs/a b.bin"));
        assert!(!tracked.holds("inputs/link.wim"), "what it points to is not in git");
        assert!(tracked.holds("vendor/drivers/net/e1d.inf"));
        assert!(!tracked.holds("vendor/drivers2/x"));
        assert!(!tracked.holds("inputs"));
    }
}
