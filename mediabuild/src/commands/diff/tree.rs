//! `Tree`: what an image, a disc or a folder holds, in the terms in which they are compared.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use mediabuild_formats::volume::Entry;
use mediabuild_formats::wim::{Dentry, Image, Sha1, Wim};

use crate::failure::Failure;
use crate::size::time;

/// Items by path, without the root.
pub(super) type Tree = BTreeMap<String, Item>;

/// A file or folder.
pub(super) struct Item {
    pub(super) is_folder: bool,
    pub(super) size_bytes: u64,
    /// The hash of the bytes, once it is known.
    pub(super) sha1: Option<Sha1>,
    /// What makes up the content besides: reparse data, named streams.
    pub(super) content: Facts,
    /// Attributes and the like; `None` for what has none.
    pub(super) metadata: Option<Facts>,
    pub(super) times: Facts,
    pub(super) place: Place,
}

/// Named values in a fixed order.
pub(super) type Facts = Vec<(&'static str, String)>;

/// Where the bytes of a file are.
pub(super) enum Place {
    /// By their hash.
    Image,
    Disc(Entry),
    Folder(PathBuf),
}

pub(super) fn of_image(wim: &Wim, image: &Image) -> Tree {
    let mut tree = Tree::new();
    for (path, dentry) in image.walk().filter(|(path, _)| !path.is_empty()) {
        tree.insert(path, of_dentry(wim, image, dentry));
    }
    tree
}

fn of_dentry(wim: &Wim, image: &Image, dentry: &Dentry) -> Item {
    let mut content = Facts::new();
    if let Some(reparse) = &dentry.reparse {
        content.push(("reparse", format!("{:#x} {}", reparse.tag, reparse.sha1)));
    }
    let streams: Vec<String> =
        dentry.streams.iter().map(|stream| format!("{} {}", stream.name, stream.sha1)).collect();
    content.push(("streams", streams.join(", ")));
    let sha1 = if dentry.data.is_empty_stream() { Sha1::ZERO } else { dentry.data };
    Item {
        is_folder: dentry.has_children_list(),
        size_bytes: wim.size_of(&dentry.data).unwrap_or(0),
        sha1: Some(sha1),
        content,
        metadata: Some(metadata(image, dentry)),
        times: vec![
            ("created", precise(dentry.creation.0)),
            ("written", precise(dentry.write.0)),
            ("read", precise(dentry.access.0)),
        ],
        place: Place::Image,
    }
}

fn metadata(image: &Image, dentry: &Dentry) -> Facts {
    let descriptor = usize::try_from(dentry.security_id).ok();
    let descriptor = descriptor.and_then(|id| image.security.get(id));
    let digest =
        |bytes: &[u8]| if bytes.is_empty() { String::new() } else { Sha1::of(bytes).to_string() };
    vec![
        ("attributes", format!("{:#x}", dentry.attributes)),
        ("descriptor", descriptor.map_or_else(String::new, |bytes| digest(bytes))),
        ("short name", dentry.short_name.to_string()),
        ("tagged items", digest(&dentry.tagged)),
    ]
}

/// A time with all its digits: units of 100 ns since 1601.
fn precise(ticks: u64) -> String {
    let seconds = mediabuild_formats::wim::FileTime(ticks).unix_seconds();
    format!("{}+{:07}", time(seconds), ticks % 10_000_000)
}

pub(super) fn of_entries(entries: Vec<Entry>) -> Tree {
    let entries = entries.into_iter().filter(|entry| !entry.path.is_empty());
    let item = |entry: Entry| {
        let written = entry.modified_seconds.map_or_else(String::new, time);
        let item = Item {
            is_folder: entry.is_directory,
            size_bytes: entry.size_bytes,
            sha1: None,
            content: entry.link.iter().map(|link| ("link", link.clone())).collect(),
            metadata: None,
            times: vec![("written", written)],
            place: Place::Disc(entry.clone()),
        };
        (entry.path, item)
    };
    entries.map(item).collect()
}

pub(super) fn of_folder(root: &Path) -> Result<Tree, Failure> {
    let mut tree = Tree::new();
    for entry in walkdir::WalkDir::new(root).min_depth(1) {
        let entry = entry.map_err(|error| Failure::environment(format!("cannot list: {error}")))?;
        let path = entry.path();
        let metadata = entry
            .metadata()
            .map_err(|error| Failure::environment(format!("cannot look at it: {error}")))?;
        let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        tree.insert(name, of_file(path, &metadata));
    }
    Ok(tree)
}

fn of_file(path: &Path, metadata: &Metadata) -> Item {
    let target = std::fs::read_link(path).ok().filter(|_| metadata.is_symlink());
    let target = target.map(|target| ("link", target.to_string_lossy().into_owned()));
    let is_file = metadata.is_file();
    Item {
        is_folder: metadata.is_dir(),
        size_bytes: if is_file { metadata.len() } else { 0 },
        sha1: (!is_file).then_some(Sha1::ZERO),
        content: target.into_iter().collect(),
        metadata: None,
        times: Facts::new(),
        place: Place::Folder(path.to_owned()),
    }
}
