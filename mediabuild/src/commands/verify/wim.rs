//! What is wrong with a WIM: where resources lie, every blob, every image, the integrity table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use mediabuild_formats::source::Source;
use mediabuild_formats::wim::{BlobEntry, Image, Sha1, Wim, resource_flag};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use serde_json::json;

use super::Finding;
use crate::cancel;
use crate::decode::{BlobSink, decode};
use crate::failure::Failure;
use crate::progress::Job;

/// Names that are given of those that use a damaged blob.
const NAMES_SHOWN: usize = 3;

/// Checks everything; what is found comes in file order.
pub(super) fn check<S: Source + Send + Sync + ?Sized>(
    wim: &Wim,
    source: &S,
    job: &Job<'_>,
) -> Result<Vec<Finding>, Failure> {
    // First, for a forged table may name the same bytes a million times.
    let entries = wim.check_layout().and_then(|()| {
        let mut entries = wim.distinct_resources()?;
        entries.extend(wim.distinct_solid_blobs()?);
        Ok(entries)
    });
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => return Ok(vec![Finding::of(&error)]),
    };
    let damages = Damages::default();
    decode(wim, source, &entries, &damages, |bytes| job.advance(bytes))?;
    let damages = damages.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    let images = images(wim, source)?;
    let mut findings = blob_findings(wim, &entries, &damages, &images);
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
    findings.extend(integrity(wim, source)?);
    Ok(findings)
}

/// Why a blob is damaged, by its position in what is checked.
#[derive(Default)]
struct Damages(Mutex<BTreeMap<usize, String>>);

impl BlobSink for Damages {
    type Open = ();

    fn open(&self, _: usize) -> Result<(), Failure> {
        Ok(())
    }

    fn write(&self, (): &mut (), _: &[u8]) -> Result<(), Failure> {
        Ok(())
    }

    fn close(&self, blob: usize, (): (), damage: Option<String>) -> Result<(), Failure> {
        if let Some(damage) = damage {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(blob, damage);
        }
        Ok(())
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
    wim: &Wim,
    entries: &[&BlobEntry],
    damages: &BTreeMap<usize, String>,
    images: &[Result<Image, String>],
) -> Vec<Finding> {
    let mut damaged: Vec<(&BlobEntry, &String)> =
        damages.iter().map(|(&blob, damage)| (entries[blob], damage)).collect();
    damaged.sort_by_key(|(entry, _)| (entry.is_solid(), entry.resource.offset_bytes));
    let hashes = damaged.iter().map(|(entry, _)| entry.sha1).collect();
    let users = users(images, &hashes);
    damaged.iter().map(|(entry, damage)| damage_finding(wim, entry, damage, &users)).collect()
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
    wim: &Wim,
    entry: &BlobEntry,
    damage: &str,
    users: &BTreeMap<Sha1, Vec<(usize, String)>>,
) -> Finding {
    let users = users.get(&entry.sha1).map_or(&[][..], Vec::as_slice);
    let is_metadata = entry.resource.has(resource_flag::METADATA);
    let metadata = wim.images.iter().position(|image| is_metadata && image == entry);
    let used = match metadata {
        Some(image) => format!("metadata of image {}", image + 1),
        None => named(users),
    };
    let place = match entry.is_solid() {
        true => format!("blob at offset {:#x} of solid resources", entry.resource.offset_bytes),
        false => format!("resource at offset {:#x}", entry.resource.offset_bytes),
    };
    // What could not be decoded names its place itself.
    let text = match damage.starts_with("resource at offset") {
        true => format!("{damage}; SHA-1 {}; {used}", entry.sha1),
        false => format!("{place}: {damage}; {used}"),
    };
    let paths: Vec<_> =
        users.iter().map(|(image, path)| json!({ "image": image, "path": path })).collect();
    let details = json!({
        "offset": entry.resource.offset_bytes,
        "solid": entry.is_solid(),
        "sha1": entry.sha1.to_string(),
        "image": metadata.map(|image| image + 1),
        "files": paths,
    });
    Finding { message: text, details: Some(details) }
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
    Some(Finding { message: text, details: Some(details) })
}

/// The integrity table against the bytes it covers, its chunks at once.
fn integrity<S: Source + Sync + ?Sized>(wim: &Wim, source: &S) -> Result<Vec<Finding>, Failure> {
    let table = match wim.integrity_table(source) {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(table)) => table,
        Err(error) => return Ok(vec![Finding::of(&error)]),
    };
    let check = |index| {
        cancel::check()?;
        Ok(table.check(source, index).err().map(|error| Finding::of(&error)))
    };
    let found = (0..table.count()).into_par_iter().map(check);
    let found: Vec<Option<Finding>> = found.collect::<Result<_, Failure>>()?;
    Ok(found.into_iter().flatten().collect())
}
