//! Two trees → what differs, sorted by path.

use std::collections::{BTreeMap, BTreeSet};

use mediabuild_formats::wim::Sha1;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::change::{Change, Field, Kind};
use super::side::Side;
use super::tree::{Facts, Item, Tree};
use crate::failure::Failure;
use crate::progress::Job;

/// Hashes the files whose content must be known: those of one path and size, and those that are on
/// one side only and may have been renamed.
pub(super) fn hash_where_needed(
    left: &mut Tree,
    right: &mut Tree,
    left_side: &Side,
    right_side: &Side,
    job: &Job<'_>,
) -> Result<(), Failure> {
    let left_wanted = wanted(left, right);
    let right_wanted = wanted(right, left);
    let size = |tree: &Tree, paths: &BTreeSet<String>| -> u64 {
        paths.iter().map(|path| tree[path].size_bytes).sum()
    };
    job.expect_more(size(left, &left_wanted) + size(right, &right_wanted));
    hash(left, left_side, &left_wanted, job)?;
    hash(right, right_side, &right_wanted, job)
}

/// Paths of files whose hash is asked for and not known.
fn wanted(tree: &Tree, other: &Tree) -> BTreeSet<String> {
    let elsewhere: BTreeSet<u64> = other
        .iter()
        .filter(|(path, item)| !item.is_folder && !tree.contains_key(*path))
        .map(|(_, item)| item.size_bytes)
        .collect();
    let is_wanted = |(path, item): &(&String, &Item)| {
        let twin = other.get(*path);
        let may_be_equal = match twin {
            Some(twin) => !twin.is_folder && twin.size_bytes == item.size_bytes,
            None => item.size_bytes > 0 && elsewhere.contains(&item.size_bytes),
        };
        !item.is_folder && item.sha1.is_none() && may_be_equal
    };
    tree.iter().filter(is_wanted).map(|(path, _)| path.clone()).collect()
}

fn hash(
    tree: &mut Tree,
    side: &Side,
    paths: &BTreeSet<String>,
    job: &Job<'_>,
) -> Result<(), Failure> {
    let one = |path: &String| {
        let sha1 =
            side.sha1_of(&tree[path], job).map_err(|f| f.while_doing(format!("`{path}`")))?;
        Ok((path.clone(), sha1))
    };
    let hashes: Vec<(String, Sha1)> =
        paths.into_par_iter().map(one).collect::<Result<_, Failure>>()?;
    for (path, sha1) in hashes {
        if let Some(item) = tree.get_mut(&path) {
            item.sha1 = Some(if item.size_bytes == 0 { Sha1::ZERO } else { sha1 });
        }
    }
    Ok(())
}

/// What differs, and how many names are equal. Times count only with `with_times`.
pub(super) fn changes(left: &Tree, right: &Tree, with_times: bool) -> (Vec<Change>, usize) {
    let renamed = renames(left, right);
    let sources: BTreeSet<&String> = renamed.values().copied().collect();
    let mut changes = Vec::new();
    let mut equal_count = 0;
    for (path, item) in left {
        match right.get(path) {
            None if sources.contains(path) => {}
            None => changes.push(Change {
                left_bytes: size(item),
                ..Change::new(Kind::Removed, shown(path, item))
            }),
            Some(twin) => match change(path, item, twin, with_times) {
                Some(change) => changes.push(change),
                None => equal_count += 1,
            },
        }
    }
    for (path, item) in right.iter().filter(|(path, _)| !left.contains_key(*path)) {
        changes.push(match renamed.get(path) {
            Some(&from) => Change {
                left_bytes: size(item),
                right_bytes: size(item),
                from: Some(from.clone()),
                fields: metadata_fields(&left[from], item, with_times),
                ..Change::new(Kind::Renamed, path)
            },
            None => {
                Change { right_bytes: size(item), ..Change::new(Kind::Added, shown(path, item)) }
            }
        });
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    (changes, equal_count)
}

fn size(item: &Item) -> Option<u64> {
    (!item.is_folder).then_some(item.size_bytes)
}

fn shown(path: &str, item: &Item) -> String {
    if item.is_folder { format!("{path}/") } else { path.to_owned() }
}

/// Whether two items at one path have the same content.
fn same_content(left: &Item, right: &Item) -> bool {
    let same_bytes = || left.sha1.is_some() && left.sha1 == right.sha1;
    left.is_folder == right.is_folder
        && left.size_bytes == right.size_bytes
        && (left.is_folder || same_bytes())
        && facts_differ(&left.content, &right.content).is_empty()
}

fn change(path: &str, left: &Item, right: &Item, with_times: bool) -> Option<Change> {
    if !same_content(left, right) {
        let mut fields = facts_differ(&left.content, &right.content);
        let kind = |item: &Item| if item.is_folder { "folder" } else { "file" };
        fields.extend(Field::of("kind", kind(left), kind(right)));
        let (left_bytes, right_bytes) = (size(left), size(right));
        return Some(Change {
            left_bytes,
            right_bytes,
            fields,
            ..Change::new(Kind::Changed, path)
        });
    }
    let fields = metadata_fields(left, right, with_times);
    let change = || Change { fields, ..Change::new(Kind::Metadata, path) };
    (!metadata_fields(left, right, with_times).is_empty()).then(change)
}

fn metadata_fields(left: &Item, right: &Item, with_times: bool) -> Vec<Field> {
    let mut fields = match (&left.metadata, &right.metadata) {
        (Some(left), Some(right)) => facts_differ(left, right),
        _ => Vec::new(),
    };
    if with_times {
        // What one side does not say is no difference.
        let is_said =
            |side: &Facts, field: &Field| side.iter().any(|(name, _)| *name == field.name);
        let times = facts_differ(&left.times, &right.times).into_iter();
        fields.extend(times.filter(|it| is_said(&left.times, it) && is_said(&right.times, it)));
    }
    fields
}

fn facts_differ(left: &Facts, right: &Facts) -> Vec<Field> {
    let names: Vec<&str> = left
        .iter()
        .map(|(name, _)| *name)
        .chain(
            right.iter().map(|(name, _)| *name).filter(|name| left.iter().all(|(l, _)| l != name)),
        )
        .collect();
    let value = |facts: &Facts, name: &str| {
        let found = facts.iter().find(|(other, _)| *other == name);
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    let field = |name: &&str| Field::of(name, &value(left, name), &value(right, name));
    names.iter().filter_map(field).collect()
}

/// New paths of files whose content is gone from its old path: each by the old one. Of several with
/// one content those of one name belong together, then the others in order.
fn renames<'a>(left: &'a Tree, right: &'a Tree) -> BTreeMap<&'a String, &'a String> {
    let mut gone: BTreeMap<Sha1, Vec<&String>> = BTreeMap::new();
    for (path, item) in left.iter().filter(|(path, _)| !right.contains_key(*path)) {
        if let Some(sha1) = movable(item) {
            gone.entry(sha1).or_default().push(path);
        }
    }
    let mut renamed = BTreeMap::new();
    let new = || right.iter().filter(|(path, _)| !left.contains_key(*path));
    for by_name in [true, false] {
        for (path, item) in new() {
            let Some(old) = movable(item).and_then(|sha1| gone.get_mut(&sha1)) else { continue };
            let fits = |from: &&String| !by_name || name(from) == name(path);
            if renamed.contains_key(path) {
                continue;
            }
            if let Some(position) = old.iter().position(fits) {
                renamed.insert(path, old.remove(position));
            }
        }
    }
    renamed
}

/// The content by which a file is known elsewhere.
fn movable(item: &Item) -> Option<Sha1> {
    item.sha1.filter(|sha1| !item.is_folder && !sha1.is_empty_stream())
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
