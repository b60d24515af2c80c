//! Inputs, folders and disks that are not as they should be: an error that names the place and what
//! to do, an exit code that says who must act, and never half of anything.

mod bases;
mod folders;
#[path = "../harness/mod.rs"]
mod harness;
mod places;
mod store;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{TestSpace, tree};

pub(crate) const PACKAGE: &[&str] = &["build", "package:p"];

pub(crate) const IMAGE_OF_FILES: &str = r#"project "p"
boot-image "i" arch="amd64" { source "files"; compression "none" }"#;

pub(crate) fn definition(source: &str) -> String {
    format!("project \"p\"\npackage \"p\" {{ {source} }}\n")
}

/// A project whose package `p` has these files.
pub(crate) fn package_of(files: &[(&str, &str)]) -> TestSpace {
    let space = TestSpace::new();
    space.write("mediabuild.kdl", definition("source \"files\""));
    for (name, content) in files {
        space.write(&format!("files/{name}"), content);
    }
    space
}

#[track_caller]
pub(crate) fn assert_nothing_built(space: &TestSpace) {
    let result = space.project().join("result");
    assert!(!result.exists() || tree(&result).is_empty(), "something was written");
}

/// Bytes that nothing compresses or shares.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new().update(&size.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// A folder that cannot be written to, for root too.
pub(crate) fn read_only(folder: &Path) -> Option<Option<Mount>> {
    if is_root() {
        return Mount::tmpfs(folder, "ro").map(Some);
    }
    fs::create_dir_all(folder).expect("a folder");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).expect("permissions");
    Some(None)
}

/// A file system in memory, gone when dropped.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// `None`, said aloud, where that is not allowed.
    pub(crate) fn tmpfs(folder: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(folder).expect("a folder");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(folder).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Mount(folder.to_owned()));
        }
        println!("skipped: no right to mount");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

pub(crate) fn forget_results(space: &TestSpace) {
    let _ = fs::remove_dir_all(space.project().join("result"));
}
