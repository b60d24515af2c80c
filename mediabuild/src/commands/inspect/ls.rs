//! `inspect ls`: the files below a folder.

use mediabuild_formats::volume::Entry;
use mediabuild_formats::wim::{Dentry, Wim};
use serde_json::{Value, json};

use super::image;
use super::medium::{AnySource, Medium, entries_in, no_such, refuse_image, refuse_view};
use super::whole::{Whole, open_to_look};
use crate::cli::{Format, InspectLs};
use crate::failure::Failure;
use crate::progress::print_line;
use crate::size::time;

/// One line a file; with `--long` its size, time and attributes first.
pub(super) fn run(ls: &InspectLs, format: Format) -> Result<(), Failure> {
    let Whole { medium, source, .. } = open_to_look(&ls.file, &ls.references)?;
    refuse_view(&medium, ls.view)?;
    refuse_image(&medium, ls.image.is_some())?;
    let files = match &medium {
        Medium::Wim(wim) => wim_files(wim, &source, ls)?,
        Medium::Disc(disc) => disc_files(entries_in(disc, &source, ls.view)?, &ls.path)?,
        Medium::Disk(disk) => disc_files(disk.entries(&source)?, &ls.path)?,
    };
    for file in files {
        match format {
            Format::Json => print_line(&file.json().to_string()),
            Format::Text => print_line(&file.text(ls.long)),
        }
    }
    Ok(())
}

/// A file or folder of a medium.
struct Listed {
    path: String,
    is_folder: bool,
    size_bytes: u64,
    modified_seconds: Option<i64>,
    attributes: Option<u32>,
    sha1: Option<String>,
}

impl Listed {
    fn text(&self, long: bool) -> String {
        let slash = if self.is_folder { "/" } else { "" };
        if !long {
            return format!("{}{slash}", self.path);
        }
        let modified = self.modified_seconds.map_or("-".into(), time);
        let attributes = self.attributes.map_or("-".into(), |bits| format!("{bits:#x}"));
        format!("{:>14} {modified:>20} {attributes:>8} {}{slash}", self.size_bytes, self.path)
    }

    fn json(&self) -> Value {
        json!({
            "path": self.path,
            "folder": self.is_folder,
            "size": self.size_bytes,
            "modified": self.modified_seconds,
            "attributes": self.attributes,
            "sha1": self.sha1,
        })
    }
}

fn wim_files(wim: &Wim, source: &AnySource, ls: &InspectLs) -> Result<Vec<Listed>, Failure> {
    let image = image(wim, source, ls.image)?;
    let start = image.lookup(&ls.path).ok_or_else(|| no_such(&ls.path))?;
    let prefix = ls.path.trim_matches('/');
    if !start.is_directory() {
        return Ok(vec![of_dentry(wim, prefix.to_owned(), start)]);
    }
    let listed = start.walk().map(|(path, dentry)| {
        let path = path.trim_start_matches('/');
        let path = if prefix.is_empty() { path.to_owned() } else { format!("{prefix}/{path}") };
        of_dentry(wim, path, dentry)
    });
    Ok(listed.filter(|file| file.path.trim_end_matches('/') != prefix).collect())
}

fn of_dentry(wim: &Wim, path: String, dentry: &Dentry) -> Listed {
    Listed {
        path,
        is_folder: dentry.is_directory(),
        size_bytes: wim.size_of(&dentry.data).unwrap_or(0),
        modified_seconds: Some(dentry.write.unix_seconds()),
        attributes: Some(dentry.attributes),
        sha1: (!dentry.is_directory()).then(|| dentry.data.to_string()),
    }
}

fn disc_files(entries: Vec<Entry>, path: &str) -> Result<Vec<Listed>, Failure> {
    let prefix = path.trim_matches('/').to_lowercase();
    let below = |entry: &Entry| {
        let path = entry.path.to_lowercase();
        prefix.is_empty() || path == prefix || path.starts_with(&format!("{prefix}/"))
    };
    let mut files: Vec<Listed> = entries.iter().filter(|e| below(e)).map(of_entry).collect();
    if files.is_empty() && !prefix.is_empty() {
        return Err(no_such(path));
    }
    files.retain(|file| !(file.is_folder && file.path.to_lowercase() == prefix));
    Ok(files)
}

fn of_entry(entry: &Entry) -> Listed {
    Listed {
        path: entry.path.clone(),
        is_folder: entry.is_directory,
        size_bytes: entry.size_bytes,
        modified_seconds: entry.modified_seconds,
        attributes: None,
        sha1: None,
    }
}
