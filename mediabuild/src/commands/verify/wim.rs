//! What is wrong with a WIM: where resources lie, every blob, every image, the integrity table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use mediabuild_formats::source::Source;
use mediabuild_formats::wim::{BlobEntry, Error, Image, Sha1, Wim, resource_flag};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use serde_json::json;

use super::Finding;
use crate::cancel;
use crate::decode::{OnDamage, decode};
use crate::failure::Failure;
use crate::progress::Job;

/// Names that are given of those that use a damaged blob.
const NAMES_SHOWN: usize = 3;

/// A WIM, and the names of the files it is.
pub(super) struct Checked<'a> {
    pub(super) wim: &'a Wim,
    pub(super) files: &'a [String],
    /// How many of them are its own; the others are WIMs that it is a delta of.
    pub(super) own_count: usize,
}

/// Checks everything; what is found comes in file order.
pub(super) fn check<S: Source + Send + Sync + ?Sized>(
    checked: &Checked<'_>,
    source: &S,
    job: &Job<'_>,
) -> Result<Vec<Finding>, Failure> {
    let wim = checked.wim;
    // First, for a forged table may name the same bytes a million times.
    let entries = wim.check_layout().and_then(|()| {
        let mut entries = wim.distinct_resources()?;
        entries.extend(wim.distinct_solid_blobs()?);
        Ok(entries)
    });
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return Ok(vec![checked.finding(&error)]),
    };
    let images = images(wim, source)?;
    checked.keep_needed(&mut entries, &images);
    let beyond = checked.leave_out_parted_solid(&mut entries, source);
    let damages: Mutex<BTreeMap<usize, String>> = Mutex::default();
    let note = OnDamage(|blob, damage| {
        damages.lock().unwrap_or_else(PoisonError::into_inner).insert(blob, damage);
        Ok(())
    });
    decode(wim, source, &entries, &note, |bytes| job.advance(bytes))?;
    let damages = damages.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut findings = blob_findings(checked, &entries, &damages, &images);
    findings.extend(beyond);
    // Whose metadata is damaged need not be parsed to be.
    let damaged: BTreeSet<u64> =
        damages.keys().map(|&blob| entries[blob].resource.offset_bytes).collect();
    for (index, (image, entry)) in (1..).zip(images.iter().zip(&wim.images)) {
        match image {
            Ok(image) => findings.extend(missing(wim, index, image)),
            Err(_) if damaged.contains(&entry.resource.offset_bytes) => {}
            Err(error) => findings.push(Finding::text(format!("image {index}: {error}"))),
        }
    }
    findings.extend(checked.integrity(source)?);
    Ok(findings)
}

impl Checked<'_> {
    /// Of a WIM that others are a delta of only what these images use is looked at.
    fn keep_needed(&self, entries: &mut Vec<&BlobEntry>, images: &[Result<Image, String>]) {
        if self.own_count == self.files.len() {
            return;
        }
        let used: BTreeSet<Sha1> = images
            .iter()
            .flatten()
            .flat_map(|image| {
                image.walk().flat_map(|(_, dentry)| dentry.blobs().collect::<Vec<_>>())
            })
            .collect();
        entries.retain(|entry| {
            self.wim.place_of(entry).0 < self.own_count || used.contains(&entry.sha1)
        });
    }

    /// Of a part without the others: the solid resources of a set may go on from part to part, and
    /// then only all of them tell where a blob is. A remark if there are such.
    fn leave_out_parted_solid<S: Source + ?Sized>(
        &self,
        entries: &mut Vec<&BlobEntry>,
        source: &S,
    ) -> Option<Finding> {
        if self.own_count >= usize::from(self.wim.header.part_count) {
            return None;
        }
        let (count, mut whole) = (entries.len(), BTreeMap::new());
        entries.retain(|entry| {
            let run = entry.is_solid().then(|| self.wim.run_number(entry).ok()).flatten();
            // What cannot be told is damaged, and said where it is decoded.
            let mut is_whole = |run| {
                let is_whole = || self.wim.is_run_whole(source, run).unwrap_or(true);
                *whole.entry(run).or_insert_with(is_whole)
            };
            run.is_none_or(&mut is_whole)
        });
        (entries.len() < count).then(|| {
            Finding::remark("solid resources that other parts go on with are not checked alone")
        })
    }

    /// What an error says, with the name of the file where there are several.
    fn finding(&self, error: &Error) -> Finding {
        let (file, message) = self.wim.message_of(error);
        Finding::text(format!("{}{message}", file.map_or_else(String::new, |at| self.prefix(at))))
    }

    fn prefix(&self, file: usize) -> String {
        match self.files {
            [_] => String::new(),
            files => files.get(file).map_or_else(String::new, |name| format!("{name}: ")),
        }
    }
}

/// Every image, or what is wrong with it.
fn images<S: Source + Sync + ?Sized>(
    wim: &Wim,
    source: &S,
) -> Result<Vec<Result<Image, String>>, Failure> {
    let parse = |index| {
        cancel::check()?;
        Ok(wim.image(source, index).map_err(|error| error.to_string()))
    };
    (1..=wim.images.len()).into_par_iter().map(parse).collect()
}

fn blob_findings(
    checked: &Checked<'_>,
    entries: &[&BlobEntry],
    damages: &BTreeMap<usize, String>,
    images: &[Result<Image, String>],
) -> Vec<Finding> {
    let mut damaged: Vec<(&BlobEntry, &String)> =
        damages.iter().map(|(&blob, damage)| (entries[blob], damage)).collect();
    damaged.sort_by_key(|(entry, _)| (checked.wim.place_of(entry), entry.resource.offset_bytes));
    let hashes = damaged.iter().map(|(entry, _)| entry.sha1).collect();
    let users = users(images, &hashes);
    damaged.iter().map(|(entry, damage)| damage_finding(checked, entry, damage, &users)).collect()
}

/// The files that use any of `hashes`, with their images.
fn users(
    images: &[Result<Image, String>],
    hashes: &BTreeSet<Sha1>,
) -> BTreeMap<Sha1, Vec<(usize, String)>> {
    let mut users: BTreeMap<Sha1, Vec<(usize, String)>> = BTreeMap::new();
    if hashes.is_empty() {
        return users;
    }
    for (index, image) in
        (1..).zip(images).filter_map(|(index, image)| Some((index, image.as_ref().ok()?)))
    {
        let mut walk = image.walk();
        while let Some((path, dentry)) = walk.next_in_place() {
            for sha1 in dentry.blobs().filter(|sha1| hashes.contains(sha1)) {
                users.entry(sha1).or_default().push((index, path.to_owned()));
            }
        }
    }
    users
}

fn damage_finding(
    checked: &Checked<'_>,
    entry: &BlobEntry,
    damage: &str,
    users: &BTreeMap<Sha1, Vec<(usize, String)>>,
) -> Finding {
    let users = users.get(&entry.sha1).map_or(&[][..], Vec::as_slice);
    let is_metadata = entry.resource.has(resource_flag::METADATA);
    let wim = checked.wim;
    let metadata = wim.images.iter().position(|image| is_metadata && image == entry);
    let used = match metadata {
        Some(image) => format!("metadata of image {}", image + 1),
        // A later part alone holds no image.
        None if wim.images.len() < wim.header.image_count as usize => {
            "the first part says what uses it".to_owned()
        }
        None => named(users),
    };
    let (file, offset) = wim.place_of(entry);
    let place = match entry.is_solid() {
        true => {
            let within = entry.resource.offset_bytes;
            format!("solid resource at offset {offset:#x}, blob at {within:#x} in it")
        }
        false => format!("resource at offset {offset:#x}"),
    };
    // What could not be decoded names its place itself.
    let text = match damage.starts_with("resource at offset") {
        true => format!("{damage}; SHA-1 {}; {used}", entry.sha1),
        false => format!("{place}: {damage}; {used}"),
    };
    let text = format!("{}{text}", checked.prefix(file));
    let paths: Vec<_> =
        users.iter().map(|(image, path)| json!({ "image": image, "path": path })).collect();
    let details = json!({
        "part": checked.files.get(file),
        "offset": offset,
        "offset-in-solid": entry.is_solid().then_some(entry.resource.offset_bytes),
        "sha1": entry.sha1.to_string(),
        "image": metadata.map(|image| image + 1),
        "files": paths,
    });
    Finding { details: Some(details), ..Finding::text(text) }
}

/// `` used by `a/b` (image 1), `c` (image 2) and 7 more ``
fn named(users: &[(usize, String)]) -> String {
    if users.is_empty() {
        return "no image uses it".to_owned();
    }
    let shown =
        users.iter().take(NAMES_SHOWN).map(|(image, path)| format!("`{path}` (image {image})"));
    let shown: Vec<String> = shown.collect();
    match users.len().saturating_sub(NAMES_SHOWN) {
        0 => format!("used by {}", shown.join(", ")),
        more => format!("used by {} and {more} more", shown.join(", ")),
    }
}

/// Contents that an image names and that are nowhere.
fn missing(wim: &Wim, index: usize, image: &Image) -> Option<Finding> {
    let mut missing = Vec::new();
    let mut walk = image.walk();
    while let Some((path, dentry)) = walk.next_in_place() {
        if let Some(sha1) = dentry.blobs().find(|sha1| wim.blob(sha1).is_none()) {
            missing.push((path.to_owned(), sha1));
        }
    }
    let (path, sha1) = missing.first().filter(|_| wim.header.part_count <= 1)?;
    let others = match missing.len() - 1 {
        0 => String::new(),
        others => format!(" and {others} more files"),
    };
    let text = format!(
        "image {index}: content {sha1} of `{path}`{others} is not in the file; if it is a delta of \
         another WIM, name that one with --ref"
    );
    let details = json!({ "image": index, "missing": missing.len(), "sha1": sha1.to_string() });
    Some(Finding { details: Some(details), ..Finding::text(text) })
}

impl Checked<'_> {
    /// The integrity tables against the bytes they cover, many pieces at once.
    fn integrity<S: Source + Sync + ?Sized>(&self, source: &S) -> Result<Vec<Finding>, Failure> {
        let tables = match self.wim.integrity_tables(source) {
            Ok(tables) => tables,
            Err(error) => return Ok(vec![self.finding(&error)]),
        };
        let mut findings = Vec::new();
        for table in tables {
            let check = |index| {
                cancel::check()?;
                Ok(table.check(source, index).err().map(|error| self.finding(&error)))
            };
            let found = (0..table.count()).into_par_iter().map(check);
            let found: Vec<Option<Finding>> = found.collect::<Result<_, Failure>>()?;
            findings.extend(found.into_iter().flatten());
        }
        Ok(findings)
    }
}
